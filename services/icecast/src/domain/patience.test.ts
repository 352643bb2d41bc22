import { expect, test } from '@jest/globals'
import { patience } from './patience.ts'

const limits = { limitMs: 4000, lateMs: 3000 }

function over(notes: readonly (readonly [answered: boolean, atMs: number])[]): boolean[] {
  const one = patience(limits)
  return notes.map(([answered, atMs]) => one.note(answered, atMs))
}

test('ends with a program that has not answered for the limit', () => {
  expect(
    over([
      [true, 0],
      [false, 1500],
      [false, 3000],
      [false, 4500],
    ]),
  ).toEqual([false, false, false, true])
})

test('an answer in between begins it anew', () => {
  expect(
    over([
      [true, 0],
      [false, 2000],
      [true, 3900],
      [false, 5000],
      [false, 7800],
      [false, 7900],
    ]),
  ).toEqual([false, false, false, false, false, true])
})

test('so does a time in which we did not run ourselves, and the beginning', () => {
  expect(
    over([
      [false, 100_000],
      [false, 102_000],
      [false, 110_000],
      [false, 112_000],
      [false, 114_000],
    ]),
  ).toEqual([false, false, false, false, true])
})

import { expect, test } from '@jest/globals'
import { faultList } from './all-faults.ts'

const names = (count?: number) => faultList(count).map(({ name }) => name)

test('each way to break things is there once, then the short ones again', () => {
  const each = names()
  expect(new Set(each).size).toBe(each.length)
  const more = names(2 * each.length)
  expect(more.slice(0, each.length)).toEqual(each)
  expect(more.slice(each.length).filter((name) => name.includes('60 s'))).toEqual([])
})

test('as many as are asked for are given', () => {
  for (const count of [0, 1, 24, 200]) expect(names(count)).toHaveLength(count)
})

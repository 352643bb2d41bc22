import { expect, test } from '@jest/globals'
import { isOlder, OLDEST_ICECAST, readVersion } from './version.ts'

test('reads what icecast2 prints', () => {
  expect(readVersion('Icecast 2.4.4\n')).toEqual([2, 4, 4])
  expect(readVersion('Icecast 2.4.999.1\n')).toEqual([2, 4, 999])
  expect(readVersion('bash: icecast2: command not found')).toBeNull()
})

test('I1: an Icecast before 2.4.4 is too old', () => {
  for (const [printed, old] of [
    ['Icecast 2.4.3', true],
    ['Icecast 2.3.99', true],
    ['Icecast 1.9.9', true],
    ['Icecast 2.4.4', false],
    ['Icecast 2.5.0', false],
    ['Icecast 3.0.0', false],
  ] as const)
    expect(isOlder(readVersion(printed)!, OLDEST_ICECAST)).toBe(old)
})

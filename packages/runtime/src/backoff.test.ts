import { expect, test } from '@jest/globals'
import { backoff } from './backoff.ts'

test('backoff doubles up to its limit and begins anew after a reset', () => {
  const wait = backoff({ firstMs: 100, mostMs: 500, random: () => 0 })
  expect([wait.next(), wait.next(), wait.next(), wait.next(), wait.next()]).toEqual([100, 200, 400, 500, 500])
  wait.reset()
  expect(wait.next()).toBe(100)
})

test('backoff takes at most a quarter off by chance', () => {
  const wait = backoff({ firstMs: 1000, mostMs: 1000, random: () => 0.999 })
  expect(wait.next()).toBeGreaterThanOrEqual(750)
})

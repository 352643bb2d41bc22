import { once } from 'node:events'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { Subscription } from '../stream-feed.ts'
import { eventText } from './event-text.ts'

const FAKED_NOT = ['nextTick', 'setImmediate', 'queueMicrotask'] as const
beforeEach(() => void jest.useFakeTimers({ doNotFake: [...FAKED_NOT] }))
afterEach(() => void jest.useRealTimers())

const endless: Subscription = { next: async () => Buffer.from('data: x\n\n'), [Symbol.dispose]: () => {} }

test('a client that takes nothing is hung up on', async () => {
  const hangUp = jest.fn()
  const events = eventText(endless, hangUp)
  await events.next()
  await events.next()
  jest.advanceTimersByTime(10_000)
  expect(hangUp).toHaveBeenCalledTimes(1)
})

test('a client that leaves while an event waits for it leaves no timer behind', async () => {
  const events = eventText(endless, () => {})
  const stream = Readable.from(events, { objectMode: false, highWaterMark: 1 })
  await once(stream, 'readable')
  stream.read()
  await once(stream, 'readable')
  expect(jest.getTimerCount()).toBe(1)
  stream.destroy()
  await once(stream, 'close')
  expect(jest.getTimerCount()).toBe(0)
})

test('a client that is let go and does not take what was on its way is hung up on', async () => {
  const hangUp = jest.fn()
  const events = eventText({ ...endless, next: async () => null }, hangUp)
  await events.next()
  expect((await events.next()).done).toBe(true)
  jest.advanceTimersByTime(10_000)
  expect(hangUp).toHaveBeenCalledTimes(1)
})

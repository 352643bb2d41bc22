import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'
import { calmRequestQueues } from './request-queue.ts'

describe('calmRequestQueues', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  const queue = () => {
    const logger = { debug: () => undefined }
    const Queue = RequestQueue as unknown as new (options: object) => { pending: unknown[]; checkPendingRequests(): void }
    return new Queue({
      maxInFlightRequests: 0,
      requestTimeout: 1000,
      enforceRequestTimeout: false,
      clientId: 'x',
      broker: 'x',
      logger,
    })
  }

  test('a connection on which nothing waits sets no timer', () => {
    calmRequestQueues()
    calmRequestQueues()
    queue().checkPendingRequests()
    expect(jest.getTimerCount()).toBe(0)
  })

  test('a request that waits is still looked after', () => {
    calmRequestQueues()
    const busy = queue()
    busy.pending.push({})
    busy.checkPendingRequests()
    expect(jest.getTimerCount()).toBe(1)
  })
})

import { AppError, silentLogger } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { settle, type Delivery } from './settle.ts'
import type { WireRecord } from './wire.ts'

const readable = JSON.stringify({
  id: '1',
  event: 'channel_stopped',
  version: 1,
  timestamp: 0,
  occurred_at: 0,
  application: 'skipcast',
  environment: 'test',
  channel_id: 'channel-1',
  channel_slug: 'channel-1',
  server_id: 'server-1',
  epoch: 1,
  mount: '/channel-1',
})

/** A delivery whose handler fails with these, one after the other, before it succeeds. */
function delivery(failures: unknown[] = [], buryFailures: unknown[] = []) {
  const handled: string[] = []
  const buried: string[] = []
  const next = (from: unknown[]) => {
    if (from.length > 0) throw from.shift()
  }
  const made: Delivery<'streamEvents', WireRecord> = {
    topic: 'streamEvents',
    async handle({ id }) {
      handled.push(id)
      next(failures)
    },
    async bury(_record, reason) {
      next(buryFailures)
      buried.push(reason)
    },
    retry: { attempts: 2, firstMs: 0, mostMs: 0 },
    logger: silentLogger(),
  }
  return { made, handled, buried }
}
const record = (value: string | null): WireRecord => ({ key: 'channel-1', value })
const open = new AbortController().signal

describe('settle', () => {
  test('a record is done with when its handler succeeds', async () => {
    const { made, handled, buried } = delivery([new Error('once')])
    expect(await settle(made, record(readable), open)).toBe(true)
    expect([handled, buried]).toEqual([['1', '1'], []])
  })

  test('a record that always fails is buried after its attempts', async () => {
    const { made, handled, buried } = delivery([new Error('once'), new Error('twice')])
    expect(await settle(made, record(readable), open)).toBe(true)
    expect([handled.length, buried]).toEqual([2, ['the handler failed: twice']])
  })

  test('what can not be read is buried without a call of the handler', async () => {
    const { made, handled, buried } = delivery()
    for (const value of [null, '{', '{}']) expect(await settle(made, record(value), open)).toBe(true)
    expect(handled).toEqual([])
    expect(buried.slice(0, 2)).toEqual(['the record has no value', 'the value is not JSON'])
  })

  test('burying is tried until it works, and the handler is not called again meanwhile', async () => {
    const away = () => new AppError('BUS_UNAVAILABLE', 'away')
    const { made, handled, buried } = delivery([new Error('a'), new Error('b')], [away(), new Error('?'), new Error('?'), away()])
    expect(await settle(made, record(readable), open)).toBe(true)
    expect([handled.length, buried.length]).toEqual([2, 1])
  })

  test('a record in its retries is let go when the signal comes', async () => {
    const closing = new AbortController()
    const { made, handled } = delivery()
    const patient = {
      ...made,
      async handle() {
        handled.push('tried')
        closing.abort()
        throw new AppError('DATABASE_UNAVAILABLE', 'away')
      },
    }
    expect(await settle(patient, record(readable), closing.signal)).toBe(false)
    expect(handled).toEqual(['tried'])
  })
})

import { describe, expect, test } from '@jest/globals'
import type { StreamCommand, UserInteraction } from '@skipcast/contracts'
import { silentLogger } from '@skipcast/runtime'
import { sessionLog } from './session-log.ts'
import { icecastTelemetry } from './telemetry.ts'

const command = { channel_id: 'c1', channel_slug: 'demo' } as StreamCommand

function fakeBus() {
  const published: UserInteraction[] = []
  const bus = {
    isAway: false,
    published,
    async publish(_topic: unknown, records: ReadonlyArray<{ value: unknown }>) {
      if (bus.isAway) throw new Error('away')
      published.push(...records.map(({ value }) => value as UserInteraction))
    },
  }
  return bus
}

const logOn = (bus: ReturnType<typeof fakeBus>) =>
  sessionLog({
    bus,
    origin: { application: 'skipcast', environment: 'test' },
    runId: () => 'run',
    now: () => 1_700_000_000_000,
    telemetry: icecastTelemetry(silentLogger()),
  })

describe('sessionLog', () => {
  test('tells of a session under an id of its own', async () => {
    const bus = fakeBus()
    const log = logOn(bus)
    log.ended({ command, clientId: '7', durationS: 61 })
    await log[Symbol.asyncDispose]()
    expect(bus.published).toMatchObject([
      { id: 'listener-session-run-7', session_id: 'run-7', channel_id: 'c1', channel_slug: 'demo', duration_s: 61 },
    ])
  })

  test('keeps sessions while the bus is away, in their order', async () => {
    const bus = fakeBus()
    bus.isAway = true
    const log = logOn(bus)
    for (let i = 0; i < 1200; i++) log.ended({ command, clientId: `${i}`, durationS: i })
    await Promise.resolve()
    bus.isAway = false
    await log[Symbol.asyncDispose]()
    expect(bus.published.map(({ duration_s }) => duration_s)).toEqual(Array.from({ length: 1200 }, (_, i) => i))
  })

  test('drops the oldest when too many wait', async () => {
    const bus = fakeBus()
    bus.isAway = true
    const log = logOn(bus)
    for (let i = 0; i < 10_003; i++) log.ended({ command, clientId: `${i}`, durationS: i })
    bus.isAway = false
    await log[Symbol.asyncDispose]()
    expect(bus.published).toHaveLength(10_000)
    expect(bus.published.at(-1)).toMatchObject({ duration_s: 10_002 })
  })
})

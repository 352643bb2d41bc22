import { describe, expect, test } from '@jest/globals'
import type { StreamCommand, ListenerSession } from '@skipcast/contracts'
import { meters, silentLogger } from '@skipcast/runtime'
import { sessionLog } from './session-log.ts'
import { icecastTelemetry } from './telemetry.ts'

const command = { channel_id: 'c1', channel_slug: 'demo' } as StreamCommand

const report = { sessionId: 's7', address: '192.0.2.7', durationMs: 0, mount: '/demo', agent: 'VLC/3', isMonitor: false }

function fakeBus() {
  const published: ListenerSession[] = []
  const bus = {
    isAway: false,
    published,
    async publish(_topic: unknown, records: ReadonlyArray<{ value: unknown }>) {
      if (bus.isAway) throw new Error('away')
      published.push(...records.map(({ value }) => value as ListenerSession))
    },
  }
  return bus
}

const logOn = (bus: ReturnType<typeof fakeBus>) =>
  sessionLog({
    bus,
    origin: { application: 'skipcast', environment: 'test' },
    commandAt: (mount) => (mount === '/demo' ? command : undefined),
    secret: 'secret',
    now: () => 1_700_000_000_000,
    telemetry: icecastTelemetry(silentLogger(), meters()),
  })

describe('sessionLog', () => {
  test('tells of a session under an id of its own', async () => {
    const bus = fakeBus()
    const log = logOn(bus)
    log.ended({ ...report, durationMs: 61_900 })
    await log[Symbol.asyncDispose]()
    expect(bus.published).toMatchObject([
      { id: 'listener-session-s7', session_id: 's7', channel_id: 'c1', channel_slug: 'demo', duration_s: 61 },
    ])
  })

  test('names the listener by a pseudonym, and neither address nor player', async () => {
    const bus = fakeBus()
    const log = logOn(bus)
    for (const address of ['192.0.2.7', '192.0.2.7', '192.0.2.8']) log.ended({ ...report, address })
    await log[Symbol.asyncDispose]()
    const [one, again, other] = bus.published.map(({ listener }) => listener)
    expect(one).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect([again === one, other === one]).toEqual([true, false])
    expect(JSON.stringify(bus.published)).not.toMatch(/192|VLC/)
  })

  test('leaves out our own monitors, and mounts of no known channel', async () => {
    const bus = fakeBus()
    const log = logOn(bus)
    log.ended({ ...report, isMonitor: true })
    log.ended({ ...report, mount: '/other' })
    await log[Symbol.asyncDispose]()
    expect(bus.published).toEqual([])
  })

  test('keeps sessions while the bus is away, in their order', async () => {
    const bus = fakeBus()
    bus.isAway = true
    const log = logOn(bus)
    for (let i = 0; i < 1200; i++) log.ended({ ...report, durationMs: i * 1000 })
    await Promise.resolve()
    bus.isAway = false
    await log[Symbol.asyncDispose]()
    expect(bus.published.map(({ duration_s }) => duration_s)).toEqual(Array.from({ length: 1200 }, (_, i) => i))
  })

  test('drops the oldest when too many wait', async () => {
    const bus = fakeBus()
    bus.isAway = true
    const log = logOn(bus)
    for (let i = 0; i < 10_003; i++) log.ended({ ...report, durationMs: i * 1000 })
    bus.isAway = false
    await log[Symbol.asyncDispose]()
    expect(bus.published).toHaveLength(10_000)
    expect(bus.published.at(-1)).toMatchObject({ duration_s: 10_002 })
  })
})

import { expect, test } from '@jest/globals'
import type { ServerHeartbeat, StartStream } from '@skipcast/contracts'
import type { WantedStream } from './domain/wanted.ts'
import { beat } from './heartbeat.ts'
import type { Observation } from './reconcile.ts'

const server = {
  teller: { serverId: 'studio', origin: { application: 'skipcast', environment: 'test' } },
  startedAt: 1000,
  labels: { region: 'eu' },
  capacity: 100,
  versions: () => ({ liquidsoap: '2.1.3' }),
}

async function told(
  streams: readonly Partial<StartStream>[],
  { awayMs, isCutOff = false }: { awayMs?: number; isCutOff?: boolean } = {},
): Promise<ServerHeartbeat> {
  const beats: ServerHeartbeat[] = []
  const wanted = new Map(streams.map((command, index) => [`c${index}`, { command } as WantedStream]))
  const engine = (state: string, channels: number) => ({ state, channels: Array.from({ length: channels }) })
  const observation = { engines: [engine('running', 3), engine('dead', 5)], wanted, reach: 'reached' } as unknown as Observation
  const bus = { publish: async (_topic: string, records: { value: unknown }[]) => void beats.push(records[0]!.value as never) }
  const clock = { wallMs: () => 5000, steadyMs: () => 0 }
  await beat(
    { bus: bus as never, clock, observed: () => observation, reach: () => ({ heard: 2, cutOffSince: isCutOff ? 2000 : null }) },
    server,
    awayMs,
  )
  return beats[0]!
}

test('a server tells what it has, what that costs, and what it could carry', async () => {
  const heartbeat = await told([{ mode: 'copy' }, { mode: 'encode', format: 'opus' }])
  expect(heartbeat).toMatchObject({
    server_id: 'studio',
    labels: { region: 'eu' },
    capacity: 100,
    engines: 1,
    channels: 3,
    occurred_at: 5000,
  })
  expect(heartbeat.load).toBeGreaterThan(2)
  expect(heartbeat).not.toHaveProperty('away_ms')
})

test('one that hands over says how long it may be silent', async () => {
  expect(await told([], { awayMs: 30_000 })).toMatchObject({ away_ms: 30_000, load: 0 })
})

test('one whose channels are not heard says for how long', async () => {
  expect(await told([], { isCutOff: true })).toMatchObject({ heard: 2, cut_off_ms: 3000 })
  expect(await told([])).not.toHaveProperty('cut_off_ms')
})

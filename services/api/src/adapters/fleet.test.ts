import { expect, test } from '@jest/globals'
import type { Bus, StateView } from '@skipcast/bus'
import { stamp, type ServerHeartbeat } from '@skipcast/contracts'
import { fleet } from './fleet.ts'

/** A topic to which heartbeats are put by hand. */
function setUp(hearingSince: number | null) {
  const values = new Map<string, ServerHeartbeat>()
  let tell: (key: string | null) => void = () => {}
  const view: Pick<StateView<'serverHeartbeats'>, 'values' | 'isCaughtUp' | 'onChange'> = {
    values,
    isCaughtUp: true,
    onChange(listener) {
      tell = listener
      return () => {}
    },
  }
  const bus = { watch: () => view } as unknown as Bus
  const watch = { hearingSince, deafSince: null, async [Symbol.asyncDispose]() {} }
  const servers = fleet(bus, watch, { silentAfterMs: 60_000, onChange: () => {} })
  const beat = (id: string, occurredAt: number, capacity = 10) => {
    const about = { server_id: id, started_at: 0, labels: {}, capacity, load: 0, engines: 0, channels: 0, versions: {} }
    values.set(id, { ...stamp({ application: 'a', environment: 'e' }, occurredAt, 'x'), event: 'server_heartbeat', ...about })
    tell(id)
  }
  return { servers, beat, watch }
}

const longAgo = -1_000_000

test('a server that just told of itself is there, with its capacity', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now())
  expect(servers.servers()).toEqual([{ id: 'a', capacity: 10 }])
  expect(servers.sight('a')).toEqual({ kind: 'heard' })
})

test('a heartbeat that stood on the topic for long is as old as it says', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now() - 120_000)
  expect(servers.servers()).toEqual([])
  const sight = servers.sight('a')
  expect(sight.kind === 'silent' && Math.abs(sight.since - (Date.now() - 120_000)) < 5000).toBe(true)
})

test('a server whose clock is an hour slow is heard all the same, from its second heartbeat on', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now() - 3_600_000)
  beat('a', Date.now() - 3_599_000)
  expect(servers.sight('a')).toEqual({ kind: 'heard' })
})

test('of a server nobody ever heard of, it is silent; while we hear nobody, nothing is said', () => {
  expect(setUp(longAgo).servers.sight('a').kind).toBe('silent')
  expect(setUp(null).servers.sight('a')).toEqual({ kind: 'unknown' })
})

test('after an outage of ours, servers get the time to be heard again', () => {
  const { servers, beat } = setUp(performance.now())
  beat('a', Date.now() - 120_000)
  expect(servers.sight('a')).toEqual({ kind: 'unknown' })
  expect(servers.servers()).toEqual([])
})

test('all that ever told of themselves are listed, with when they were heard', () => {
  const { servers, beat } = setUp(longAgo)
  const before = Date.now()
  beat('b', before)
  beat('a', before - 120_000)
  const [a, b] = servers.list()
  expect(a).toMatchObject({ heartbeat: { server_id: 'a' }, sight: { kind: 'silent' } })
  expect(Math.abs(a!.heardAt - (before - 120_000))).toBeLessThan(1000)
  expect(b).toMatchObject({ heartbeat: { server_id: 'b' }, sight: { kind: 'heard' } })
})

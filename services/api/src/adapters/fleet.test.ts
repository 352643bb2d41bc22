import { afterEach, expect, jest, test } from '@jest/globals'
import type { Bus, StateView } from '@skipcast/bus'
import { stamp, type ServerHeartbeat } from '@skipcast/contracts'
import { fleet } from './fleet.ts'

/** A topic to which heartbeats are put by hand. */
function setUp(hearingSince: number | null, stallEndedAt = -Infinity) {
  let changes = 0
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
  const servers = fleet(bus, watch, {
    silentAfterMs: 60_000,
    graceMs: 600_000,
    stalls: { endedAt: () => stallEndedAt },
    onChange: () => (changes += 1),
  })
  const beat = (id: string, occurredAt: number, capacity = 10, awayMs = 0) => {
    const about = {
      server_id: id,
      started_at: 0,
      labels: {},
      capacity,
      load: 0,
      engines: 0,
      channels: 0,
      versions: {},
      away_ms: awayMs,
    }
    values.set(id, { ...stamp({ application: 'a', environment: 'e' }, occurredAt, 'x'), event: 'server_heartbeat', ...about })
    tell(id)
  }
  return { servers, beat, changes: () => changes }
}

const longAgo = -1_000_000

/** A minute of silence is too long, ten are waited for after an outage; `pass` lets so many seconds go by with a heartbeat of each of these every ten. */
function inTime() {
  jest.useFakeTimers()
  const { servers, beat } = setUp(longAgo)
  const pass = (seconds: number, ...ids: string[]) => {
    for (let second = 0; second < seconds; second += 10) {
      jest.advanceTimersByTime(10_000)
      for (const id of ids) beat(id, Date.now())
    }
  }
  return { servers, pass }
}

afterEach(() => void jest.useRealTimers())

test('a server that just told of itself is heard', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now())
  expect(servers.sight('a')).toEqual({ kind: 'heard' })
})

test('a heartbeat that stood on the topic for long is as old as it says', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now() - 120_000)
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
})

test('after our start, a server that was heard since is not waited for any longer than usual', () => {
  const { servers, beat } = setUp(performance.now() - 200_000)
  beat('a', Date.now() - 120_000)
  expect(servers.sight('a').kind).toBe('silent')
  expect(servers.sight('never heard').kind).toBe('unknown')
})

test('who falls silent while others are heard is silent', () => {
  const { servers, pass } = inTime()
  pass(10, 'a', 'b')
  pass(60, 'a')
  expect(servers.sight('b')).toEqual({ kind: 'heard' })
  pass(10, 'a')
  expect(servers.sight('b').kind).toBe('silent')
})

test('while nobody at all is heard, and for a while after, none of them is silent: the road was blocked', () => {
  const { servers, pass } = inTime()
  pass(20, 'b')
  pass(50, 'a', 'b')
  pass(20, 'a') // the last of b is older
  pass(50)
  expect(servers.sight('b')).toEqual({ kind: 'unknown' })
  pass(80, 'a')
  expect(servers.sight('b')).toEqual({ kind: 'unknown' })
  pass(60, 'a')
  expect(servers.sight('b').kind).toBe('silent')
})

test('when nobody was heard for longer than any outage is waited for, all are silent', () => {
  const { servers, pass } = inTime()
  pass(10, 'a', 'b')
  pass(590)
  expect(servers.sight('a')).toEqual({ kind: 'unknown' })
  pass(20)
  expect([servers.sight('a').kind, servers.sight('b').kind]).toEqual(['silent', 'silent'])
})

test('while this process itself stood still, nobody is called silent', () => {
  const { servers, beat } = setUp(longAgo, performance.now() - 30_000)
  beat('a', Date.now() - 120_000)
  expect(servers.sight('a')).toEqual({ kind: 'unknown' })
})

test('a server that said that it hands over may be silent for so long, and no longer', () => {
  const { servers, beat } = setUp(longAgo)
  beat('a', Date.now() - 120_000, 10, 150_000)
  beat('b', Date.now() - 120_000, 10, 90_000)
  expect([servers.sight('a').kind, servers.sight('b').kind]).toEqual(['unknown', 'silent'])
})

test('it tells who came and who can carry something else now, not each heartbeat', () => {
  const { beat, changes } = setUp(longAgo)
  beat('a', Date.now())
  beat('a', Date.now())
  expect(changes()).toBe(1)
  beat('a', Date.now(), 20)
  expect(changes()).toBe(2)
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

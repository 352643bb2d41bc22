import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { place, type Move } from './place.ts'
import { hasLabels, type Placeable, type Server, type Slot } from './server.ts'

const label = fc.record({ region: fc.constantFrom('eu', 'us'), disk: fc.constantFrom('ssd', 'hdd') }, { requiredKeys: [] })
const serverId = fc.nat(7).map((n) => `s${n}`)
const fleet = fc.uniqueArray(
  fc.record({
    id: serverId,
    state: fc.constantFrom('open', 'open', 'open', 'draining', 'lost', 'unsure'),
    labels: label,
    capacity: fc.nat(30),
  }),
  { selector: ({ id }) => id, maxLength: 8 },
)
const channels = fc.uniqueArray(
  fc.record({
    id: fc.nat(999).map((n) => `c${n}`),
    cost: fc.constantFrom(1, 5, 8),
    replicas: fc.constantFrom(1, 2),
    labels: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: label }),
    pin: fc.option(serverId, { freq: 6 }).map((id) => id),
    primary: fc.option(serverId),
    standby: fc.option(serverId),
    awaits: fc.option(serverId, { freq: 2 }),
  }),
  { selector: ({ id }) => id, maxLength: 40 },
)
const seed = fc.integer()

/** The same numbers for the same seed. */
function drawing(from: number): () => number {
  let state = from | 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Servers with the load that these channels are. */
function loaded(servers: readonly Omit<Server, 'load'>[], placed: readonly Placeable[]): Server[] {
  const loads = new Map<string, number>()
  for (const { cost, primary, standby } of placed)
    for (const id of [primary, standby]) if (id !== null) loads.set(id, (loads.get(id) ?? 0) + cost)
  return servers.map((server) => ({ ...server, load: loads.get(server.id) ?? 0 }))
}

function carryOut(all: readonly Placeable[], moves: readonly Move[]): Placeable[] {
  const byChannel = new Map(moves.map((move) => [move.channelId, move]))
  return all.map((channel) => {
    const move = byChannel.get(channel.id)
    return move ? { ...channel, primary: move.primary, standby: move.standby, awaits: null } : channel
  })
}

/** Any fleet, with any channels anywhere on it, well placed or not; what is planned, and how it is then. */
const scene = fc.record({ fleet, channels, seed }).map(({ fleet: bare, channels: before, seed: from }) => {
  const servers = loaded(bare, before)
  const moves = place(before, servers, drawing(from))
  const after = carryOut(before, moves)
  return { servers, before, moves, after, serversAfter: loaded(bare, after), seed: from }
})

const byId = (servers: readonly Server[]) => new Map(servers.map((server) => [server.id, server]))
const slots = (channel: Placeable): [Slot, string | null][] => [
  ['primary', channel.primary],
  ['standby', channel.standby],
]

test('planning again after a plan finds nothing, whatever is drawn', () => {
  fc.assert(
    fc.property(scene, fc.integer(), ({ after, serversAfter }, other) => {
      expect(place(after, serversAfter, drawing(other))).toEqual([])
    }),
    { numRuns: 500 },
  )
})

test('no server gets more than it can carry', () => {
  fc.assert(
    fc.property(scene, ({ servers, serversAfter }) => {
      const before = byId(servers)
      for (const { id, load, capacity } of serversAfter) expect(load <= Math.max(capacity, before.get(id)!.load)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('whoever gets a slot is open, has the labels, and is the pinned one; two replicas are on two servers', () => {
  fc.assert(
    fc.property(scene, ({ servers, before, after }) => {
      const known = byId(servers)
      for (const [index, channel] of after.entries()) {
        const was = before[index]!
        for (const [slot, id] of slots(channel)) {
          if (id === null || id === was[slot]) continue
          const server = known.get(id)!
          expect([server.state, hasLabels(server.labels, channel.labels)]).toEqual(['open', true])
          if (channel.pin !== null) expect(id === channel.pin).toBe(slot === 'primary')
        }
        const changed = channel.primary !== was.primary || channel.standby !== was.standby
        if (changed && channel.primary !== null) expect(channel.primary).not.toBe(channel.standby)
        if (channel.replicas === 1) expect(channel.standby).toBeNull()
      }
    }),
    { numRuns: 500 },
  )
})

test('what fits and is allowed where it is stays there', () => {
  fc.assert(
    fc.property(scene, ({ servers, before, after }) => {
      const known = byId(servers)
      for (const [index, was] of before.entries()) {
        const now = after[index]!
        const mayStay = (slot: Slot) => {
          const server = was[slot] === null ? undefined : known.get(was[slot])
          if (was[slot] === null) return false
          if (server === undefined || server.state === 'unsure') return true
          if (was.pin !== null && (was.pin === server.id) !== (slot === 'primary')) return false
          return server.state === 'open' && hasLabels(server.labels, was.labels) && server.load <= server.capacity
        }
        if (mayStay('primary')) expect(now.primary).toBe(was.primary)
        const isSecond = was.replicas === 2 && was.standby !== was.primary && now.primary !== was.standby
        if (isSecond && mayStay('standby')) expect(now.standby).toBe(was.standby)
      }
    }),
    { numRuns: 500 },
  )
})

test('a server that carries too much loses none that it could have kept', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(1, 5, 8), { maxLength: 20 }), fc.nat(60), seed, (costs, capacity, from) => {
      const all = costs.map((cost, index) => channel(`c${index}`, { cost, primary: 'full' }))
      const servers = loaded([server('full', { capacity }), server('free', { capacity: 1000 })], all)
      const moved = place(all, servers, drawing(from)).map(({ channelId }) => all.find(({ id }) => id === channelId)!.cost)
      const left = servers[0]!.load - moved.reduce((sum, cost) => sum + cost, 0)
      expect(left).toBeLessThanOrEqual(capacity)
      for (const cost of moved) expect(left + cost).toBeGreaterThan(capacity)
    }),
  )
})

test('what can be placed is placed: a channel is without a server only where none suits that has room', () => {
  fc.assert(
    fc.property(scene, ({ after, serversAfter }) => {
      for (const { primary, standby, cost, labels, pin } of after) {
        if (primary !== null) continue
        const suits = ({ id, state, ...server }: Server) =>
          state === 'open' && id !== standby && (pin ?? id) === id && hasLabels(server.labels, labels)
        for (const server of serversAfter.filter(suits)) expect(server.load + cost).toBeGreaterThan(server.capacity)
      }
    }),
    { numRuns: 500 },
  )
})

test('each channel moves at most once, and only if something changes for it', () => {
  fc.assert(
    fc.property(scene, ({ before, moves }) => {
      expect(new Set(moves.map(({ channelId }) => channelId)).size).toBe(moves.length)
      for (const { channelId, primary, standby } of moves) {
        const was = before.find(({ id }) => id === channelId)!
        expect([primary, standby, null]).not.toEqual([was.primary, was.standby, was.awaits])
      }
    }),
  )
})

test('the same draws give the same moves', () => {
  fc.assert(
    fc.property(scene, ({ servers, before, moves, seed: from }) => {
      expect(place(before, servers, drawing(from))).toEqual(moves)
    }),
  )
})

test('well-placed channels may be left out: their servers carry them all the same', () => {
  fc.assert(
    fc.property(scene, ({ servers, before, moves, seed: from }) => {
      const overfull = new Set(servers.filter(({ load, capacity }) => load > capacity).map(({ id }) => id))
      const moving = new Set(moves.map(({ channelId }) => channelId))
      const stuck = before.filter(
        ({ id, primary, standby }) => moving.has(id) || overfull.has(primary!) || overfull.has(standby!),
      )
      const again = place(stuck, servers, drawing(from))
      const others = before.filter(({ id }) => !stuck.some((one) => one.id === id))
      expect(carryOut(others, again)).toEqual(others)
      const known = byId(loaded(servers, carryOut(before, again)))
      for (const { id, load, capacity } of servers) expect(known.get(id)!.load <= Math.max(capacity, load)).toBe(true)
    }),
  )
})

function server(id: string, fields: Partial<Server> = {}): Server {
  return { id, state: 'open', labels: {}, capacity: 100, load: 0, ...fields }
}

function channel(id: string, fields: Partial<Placeable> = {}): Placeable {
  return { id, cost: 1, replicas: 1, labels: {}, pin: null, primary: null, standby: null, awaits: null, ...fields }
}

test('a channel that waits for the end of a track is told when nobody plays that any more', () => {
  const servers = [server('new'), server('before', { state: 'lost' }), server('draining', { state: 'draining' })]
  const waiting = (awaits: string) => channel(awaits, { primary: 'new', awaits })
  expect(place(['before', 'draining', 'unheard of'].map(waiting), servers, Math.random)).toEqual([
    { channelId: 'before', primary: 'new', standby: null, because: 'lost' },
  ])
})

test('of two servers the emptier one is chosen', () => {
  const servers = [server('fuller', { capacity: 10, load: 5 }), server('emptier', { load: 10 })]
  expect(place([channel('a')], servers, Math.random)).toEqual([
    { channelId: 'a', primary: 'emptier', standby: null, because: 'unplaced' },
  ])
})

test('many channels spread over many servers without piling up', () => {
  const servers = Array.from({ length: 50 }, (_, i) => server(`s${i}`))
  const all = Array.from({ length: 1000 }, (_, i) => channel(`c${i}`))
  const loads = loaded(servers, carryOut(all, place(all, servers, Math.random))).map(({ load }) => load)
  expect(loads.reduce((sum, load) => sum + load, 0)).toBe(1000)
  expect(Math.max(...loads)).toBeLessThan(30) // 20 each on average; by pure chance the fullest would have some 32
})

test('the larger is placed first, and what fits nowhere keeps nobody else from being placed', () => {
  const all = [channel('small'), channel('large', { cost: 8 }), channel('huge', { cost: 50 }), channel('late')]
  const moves = place(all, [server('s', { capacity: 9 })], Math.random)
  expect(moves.map(({ channelId }) => channelId).toSorted()).toEqual(['large', 'small'])
})

test('when a server is lost, the standby goes on as the primary and another one is found', () => {
  const all = [channel('a', { replicas: 2, primary: 'lost', standby: 'second' })]
  const servers = loaded([server('lost', { state: 'lost' }), server('second'), server('third')], all)
  expect(place(all, servers, Math.random)).toEqual([{ channelId: 'a', primary: 'second', standby: 'third', because: 'lost' }])
  expect(place(all, servers.slice(0, 2), Math.random)).toEqual([
    { channelId: 'a', primary: 'second', standby: null, because: 'lost' },
  ])
})

test('a pinned channel waits for its server, and its standby does not take its place', () => {
  const all = [channel('a', { replicas: 2, pin: 'lost', primary: 'lost', standby: 'second' })]
  expect(place(all, loaded([server('lost', { state: 'lost' }), server('second')], all), Math.random)).toEqual([])
})

test('what fits nowhere stays where it is, lost or not: its server may come back', () => {
  const all = [channel('a', { primary: 'lost' })]
  expect(place(all, loaded([server('lost', { state: 'lost' }), server('full', { capacity: 0 })], all), Math.random)).toEqual([])
})

test('room that somebody leaves is given to whoever waited for it, in the same pass', () => {
  const all = [channel('waits', { cost: 8 }), channel('leaves', { primary: 'eu', labels: { region: 'us' }, cost: 8 })]
  const fleetOfTwo = [server('eu', { capacity: 8 }), server('us', { capacity: 8, labels: { region: 'us' } })]
  const placed = carryOut(
    all,
    place(all, loaded(fleetOfTwo, all), () => 0),
  )
  expect(placed.map(({ primary }) => primary)).toContain('us')
  expect(place(placed, loaded(fleetOfTwo, placed), Math.random)).toEqual([])
})

import { streamCost } from '@skipcast/contracts'
import { place, type Move } from '../../../services/api/src/domain/place.ts'
import { mismatchOf, type Placeable, type Server } from '../../../services/api/src/domain/server.ts'

/** What one process shall measure. */
export interface PassOrder {
  readonly scene: 'settled' | 'lost' | 'unplaced' | 'tight'
  readonly servers: number
  readonly channels: number
  readonly rounds: number
  readonly who: 'ours' | 'naive'
}

export interface PassResult {
  readonly ms: readonly number[]
  readonly moves: number
  /** The most that the process had while it planned, on top of what it had before. */
  readonly peakMb: number
  readonly fullestPercent: number
}

const REGIONS = ['eu', 'us', 'asia', 'africa']
const ENCODED_IN = 10
const REPLICATED_IN = 10
const LABELLED_IN = 2
const PINNED_IN = 50

/** The same for each contender. */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** A fleet, and channels that want to be on it. Every other has a region, one in ten is encoded, one in ten wants two servers, one in fifty is pinned. */
function fleetOf({ servers, channels, scene }: PassOrder): { servers: Server[]; channels: Placeable[] } {
  const random = drawing(1)
  const wanted = Array.from({ length: channels }, (_, index): Placeable => {
    const mode = index % ENCODED_IN === 0 ? 'encode' : 'copy'
    return {
      id: `c${index}`,
      cost: streamCost({ mode }),
      replicas: index % REPLICATED_IN === 1 ? 2 : 1,
      labels: index % LABELLED_IN === 0 ? { region: REGIONS[Math.floor(random() * REGIONS.length)]! } : {},
      pin: index % PINNED_IN === 3 ? `s${Math.floor(random() * servers)}` : null,
      primary: null,
      standby: null,
      awaits: null,
    }
  })
  const total = wanted.reduce((sum, { cost, replicas }) => sum + cost * replicas, 0)
  const capacity = Math.ceil((total / servers) * (scene === 'tight' ? 1.02 : 1.5))
  const empty = Array.from({ length: servers }, (_, index): Server => {
    return { id: `s${index}`, state: 'open', labels: { region: REGIONS[index % REGIONS.length]! }, capacity, load: 0 }
  })
  if (scene === 'unplaced' || scene === 'tight') return { servers: empty, channels: wanted }
  const placed = carryOut(wanted, place(wanted, empty, random))
  const loads = loadsOf(placed)
  const loaded = empty.map((server, index): Server => {
    const isLost = scene === 'lost' && index % 10 === 0
    return { ...server, load: loads.get(server.id) ?? 0, state: isLost ? 'lost' : 'open' }
  })
  return { servers: loaded, channels: placed }
}

function carryOut(channels: readonly Placeable[], moves: readonly Move[]): Placeable[] {
  const byChannel = new Map(moves.map((move) => [move.channelId, move]))
  return channels.map((channel) => {
    const { primary, standby } = byChannel.get(channel.id) ?? channel
    return { ...channel, primary, standby }
  })
}

function loadsOf(channels: readonly Placeable[]): Map<string, number> {
  const loads = new Map<string, number>()
  for (const { cost, primary, standby } of channels)
    for (const id of [primary, standby]) if (id !== null) loads.set(id, (loads.get(id) ?? 0) + cost)
  return loads
}

/** Looks at every server for each slot that needs one, and takes the emptiest that may have it: what one would write first. */
function naive(channels: readonly Placeable[], servers: readonly Server[]): Move[] {
  const loads = new Map(servers.map(({ id, load }) => [id, load]))
  const states = new Map(servers.map(({ id, state }) => [id, state]))
  const moves: Move[] = []
  for (const channel of channels) {
    const best = (slot: 'primary' | 'standby', except: string | null) => {
      let found: string | null = null
      let emptiest = Infinity
      for (const server of servers) {
        const load = loads.get(server.id)!
        if (server.state !== 'open' || server.id === except || mismatchOf(channel, slot, server) !== null) continue
        if (load + channel.cost > server.capacity || load / server.capacity >= emptiest) continue
        emptiest = load / server.capacity
        found = server.id
      }
      if (found !== null) loads.set(found, loads.get(found)! + channel.cost)
      return found
    }
    const isPlaced = (id: string | null) => id !== null && states.get(id) === 'open'
    const primary = isPlaced(channel.primary) ? channel.primary : best('primary', channel.standby)
    const standby = channel.replicas === 1 || isPlaced(channel.standby) ? channel.standby : best('standby', primary)
    if (primary !== channel.primary || standby !== channel.standby)
      moves.push({ channelId: channel.id, primary, standby, because: 'unplaced' })
  }
  return moves
}

const order = JSON.parse(process.argv[2]!) as PassOrder
const { servers, channels } = fleetOf(order)
const random = drawing(2)
const ms: number[] = []
let moves: Move[] = []
gc!()
const before = process.memoryUsage().rss
for (let round = 0; round < order.rounds; round++) {
  const startedAt = performance.now()
  moves = order.who === 'ours' ? place(channels, servers, random) : naive(channels, servers)
  ms.push(performance.now() - startedAt)
}
const peakMb = process.resourceUsage().maxRSS / 1024 - before / 1024 ** 2
const loads = loadsOf(carryOut(channels, moves))
const fullness = servers.filter(({ state }) => state === 'open').map(({ id, capacity }) => (loads.get(id) ?? 0) / capacity)
const result: PassResult = { ms, moves: moves.length, peakMb, fullestPercent: Math.max(...fullness) * 100 }
process.stdout.write(JSON.stringify(result))

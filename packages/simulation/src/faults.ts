import type { Constellation, Part } from './constellation.ts'
import type { Random } from './kernel/random.ts'

/** A way in which something goes wrong. `begin` returns how it ends, if it does not end by itself. */
interface Fault {
  readonly name: string
  begin(constellation: Constellation, random: Random): (() => void) | null
  /** How long it lasts, in ms. */
  readonly lasts: readonly [number, number]
}

const killed = (
  name: string,
  choose: (constellation: Constellation, random: Random) => Part,
  lasts: readonly [number, number],
): Fault => ({
  name: `${name} is killed`,
  lasts,
  begin(constellation, random) {
    const part = choose(constellation, random)
    constellation.world.trace.note(constellation.world.now, part.name, 'killed')
    constellation.world.kill(part.process)
    return () => part.startAgain()
  },
})

const frozen = (
  name: string,
  choose: (constellation: Constellation, random: Random) => Part,
  lasts: readonly [number, number],
): Fault => ({
  name: `${name} is frozen`,
  lasts,
  begin(constellation, random) {
    const { process, name: who } = choose(constellation, random)
    constellation.world.trace.note(constellation.world.now, who, 'frozen')
    constellation.world.freeze(process)
    return () => constellation.world.wake(process)
  },
})

const engineOf = ({ servers }: Constellation, random: Random) => {
  const engines = servers.flatMap(({ engines: { engines } }) => [...engines.values()])
  const playing = engines.filter(({ channels, process }) => channels.size > 0 && process.state === 'running')
  return playing.length > 0 ? random.pick(playing) : null
}

const cutBetween = (
  name: string,
  choose: (constellation: Constellation, random: Random) => readonly [string, string][],
  lasts: readonly [number, number],
): Fault => ({
  name,
  lasts,
  begin(constellation, random) {
    const { net, world } = constellation
    const pairs = choose(constellation, random)
    const isOneWay = random.chance(0.2)
    world.trace.note(world.now, 'network', `cut ${pairs.map((pair) => pair.join(isOneWay ? '>' : '-')).join(', ')}`)
    const mends = pairs.flatMap(([a, b]) => (isOneWay ? [net.cut(a, b)] : [net.cut(a, b), net.cut(b, a)]))
    return () => mends.forEach((mend) => mend())
  },
})

const server = ({ servers }: Constellation, random: Random) => random.pick(servers)
const api = ({ apis }: Constellation, random: Random) => random.pick(apis)
const BUS = 'bus'

/** All there are. A run draws some of them, so that each run has a character of its own. */
const faults: readonly Fault[] = [
  killed('an API', api, [100, 8000]),
  frozen('an API', api, [500, 12_000]),
  killed('an agent', server, [100, 8000]),
  frozen('an agent', server, [500, 15_000]),
  killed('the role icecast', ({ role }) => role, [100, 5000]),
  frozen('the role icecast', ({ role }) => role, [300, 5000]),
  killed('icecast2', ({ icecastDaemon }) => icecastDaemon, [250, 1500]),
  frozen('icecast2', ({ icecastDaemon }) => icecastDaemon, [300, 5000]),
  killed('the database', ({ databaseDaemon }) => databaseDaemon, [500, 8000]),
  {
    name: 'the bus is away',
    lasts: [500, 15_000],
    begin({ world, brokerDaemon, broker }) {
      world.trace.note(world.now, 'kafka', 'killed')
      world.kill(brokerDaemon.process)
      broker.endSessions()
      return () => brokerDaemon.startAgain()
    },
  },
  {
    name: 'answers of the bus are lost',
    lasts: [2000, 15_000],
    begin({ broker }) {
      broker.lossRate = 0.3
      return () => void (broker.lossRate = 0)
    },
  },
  {
    name: 'an engine is killed',
    lasts: [0, 0],
    begin(constellation, random) {
      const engine = engineOf(constellation, random)
      if (!engine) return null
      constellation.world.trace.note(constellation.world.now, engine.id, 'killed')
      constellation.world.kill(engine.process)
      return null
    },
  },
  {
    name: 'an engine is frozen',
    lasts: [500, 10_000],
    begin(constellation, random) {
      const engine = engineOf(constellation, random)
      if (!engine) return null
      constellation.world.trace.note(constellation.world.now, engine.id, 'frozen')
      constellation.world.freeze(engine.process)
      return () => constellation.world.wake(engine.process)
    },
  },
  {
    name: 'Liquidsoap does not start',
    lasts: [1000, 8000],
    begin(constellation, random) {
      const { engines } = server(constellation, random)
      engines.startsFail = true
      return () => void (engines.startsFail = false)
    },
  },
  {
    name: 'a server is lost',
    lasts: [500, 12_000],
    begin(constellation, random) {
      const { world, net } = constellation
      const lost = server(constellation, random)
      world.trace.note(world.now, lost.name, 'lost with all its engines')
      world.kill(lost.process)
      for (const { process } of lost.engines.engines.values()) world.kill(process)
      net.loseSent(lost.machine)
      return () => lost.startAgain()
    },
  },
  cutBetween(
    'a server is cut off from all',
    (c, random) => {
      const { machine } = server(c, random)
      return [
        [machine, BUS],
        [machine, 'cast'],
      ]
    },
    [500, 15_000],
  ),
  cutBetween('a server is cut off from the bus', (c, random) => [[server(c, random).machine, BUS]], [500, 15_000]),
  cutBetween('a server is cut off from Icecast', (c, random) => [[server(c, random).machine, 'cast']], [500, 12_000]),
  cutBetween('an API is cut off from the bus', (c, random) => [[api(c, random).machine, BUS]], [500, 15_000]),
  cutBetween('an API is cut off from the database', (c, random) => [[api(c, random).machine, 'db']], [500, 15_000]),
  cutBetween('Icecast is cut off from the bus', () => [['cast', BUS]], [500, 15_000]),
  {
    name: 'the network is slow',
    lasts: [1000, 10_000],
    begin({ net }, random) {
      net.slowness = random.between(10, 150)
      return () => void (net.slowness = 1)
    },
  },
  {
    name: 'a clock jumps',
    lasts: [0, 0],
    begin(constellation, random) {
      const { world, servers, apis } = constellation
      const { machine } = random.pick([...servers, ...apis])
      const jumpMs = Math.round(random.between(-3_600_000, 3_600_000))
      world.clockErrors.set(machine, jumpMs)
      world.trace.note(world.now, machine, `its clock jumps by ${jumpMs} ms`)
      return null
    },
  },
]

/** Draws what goes wrong in a run, and when; each ends by `untilMs`. Returns how to end all at once. */
export function scheduleFaults(constellation: Constellation, random: Random, untilMs: number): { names: readonly string[] } {
  const { world } = constellation
  const drawn = faults.filter(() => random.chance(0.35))
  const kinds = drawn.length > 0 ? drawn : [random.pick(faults)]
  const pauseMs = random.between(800, 5000)
  const next = () => {
    if (world.now >= untilMs) return
    const fault = random.pick(kinds)
    const lastsMs = Math.min(random.between(...(fault.lasts as [number, number])), untilMs - world.now)
    world.trace.note(world.now, 'fault', `${fault.name} for ${Math.round(lastsMs)} ms`)
    const end = fault.begin(constellation, random)
    if (end) {
      world.after(lastsMs, () => {
        world.trace.note(world.now, 'fault', `${fault.name}: over`)
        end()
      })
    }
    world.after(random.between(0.3, 1.7) * pauseMs, next)
  }
  world.after(random.between(0.3, 1.7) * pauseMs, next)
  return { names: kinds.map(({ name }) => name) }
}

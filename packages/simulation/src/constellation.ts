import { toStreamCommand } from '@skipcast/api/core'
import type { Channel, ToCommand } from '@skipcast/db'
import type { Memory } from '@skipcast/liquidsoap-agent/core'
import { network, type Network } from './kernel/network.ts'
import { running, type Process, type World } from './kernel/world.ts'
import { simulatedAgent } from './roles/agent.ts'
import { simulatedApi, type SimulatedApi } from './roles/api.ts'
import { simulatedIcecastRole } from './roles/icecast.ts'
import { OPERATOR, ORIGIN, SIGNING_KEY } from './roles/settings.ts'
import { broker as openBroker, type Broker } from './twins/broker.ts'
import { simulatedDatabase, type SimulatedDatabase } from './twins/database.ts'
import { disks } from './twins/disk.ts'
import { icecast2, type Icecast2 } from './twins/icecast2.ts'
import { simulatedEar } from './twins/listener.ts'
import { machine, type Machine } from './twins/machine.ts'

/** A program that is started again when it has ended. */
export interface Part {
  readonly name: string
  readonly machine: string
  process: Process
  startAgain(): void
}

/**
 *   office ──► api1, api2 ──► db          api1, api2, s1…s3, cast ◄──► bus
 *   listeners ◄── cast (icecast2, role) ◄── engines of s1…s3
 */
export interface Constellation {
  readonly world: World
  readonly net: Network
  readonly broker: Broker
  readonly database: SimulatedDatabase
  readonly icecast: Icecast2
  readonly servers: readonly Server[]
  readonly apis: readonly (Part & { api: SimulatedApi | null })[]
  readonly role: Part
  readonly icecastDaemon: Part
  readonly databaseDaemon: Part
  readonly brokerDaemon: Part
  readonly operator: Process
  readonly channels: readonly string[]
  /** When an ordinary listener of the channel heard its programme last. */
  readonly heardAt: Map<string, number>
  /** Lets what flows flow, up to now; called after each step. */
  listen(): void
  readonly hooks: Hooks
}

interface Server extends Part {
  readonly engines: Machine
  /** What the present agent tells of its channels. */
  memory: Memory | null
  /** Since when the agent runs: since its start, or since it woke. */
  readonly runsSince: () => number
}

/** What is seen from outside, at the moment at which it happens. */
interface Hooks {
  onWrite: (channel: Channel) => void
  onRaise: (channelId: string, mount: string, epoch: number) => void
}

const SERVERS = ['s1', 's2', 's3']
const CHANNELS = 4

export function constellation(world: World): Constellation {
  const net = network(world)
  const hooks: Hooks = { onWrite() {}, onRaise() {} }
  /** Who is at work knows it; the tables ask whoever is there. */
  const lastTold = (channelId: string) => {
    const present = apis.filter(({ api }) => api)
    return (present.find(({ process }) => process === running.getStore()) ?? present[0])?.api?.lastTold(channelId)
  }
  const context = { origin: ORIGIN, signingKey: SIGNING_KEY, lastTold }
  const toCommand: ToCommand = (channel, tracks, at) => toStreamCommand(context, channel, tracks, at)
  const broker = openBroker(world, net)
  const database = simulatedDatabase(world, net, { toCommand, onWrite: (channel) => hooks.onWrite(channel) })
  const icecast = icecast2(world, net)
  const diskOf = disks(world)

  const part = <T extends object>(name: string, on: string, main: (part: Part & T) => void, more: T): Part & T => {
    const self = {
      ...more,
      name,
      machine: on,
      process: null as unknown as Process,
      startAgain() {
        if (self.process && self.process.state !== 'dead') return
        self.process = world.start(name, on, () => main(self))
      },
    }
    self.startAgain()
    return self
  }

  const brokerDaemon = part('kafka', broker.machine, ({ process }) => void (broker.process = process), {})
  const databaseDaemon = part('postgres', 'db', ({ process }) => void (database.process = process), {})
  const icecastDaemon = part(
    'icecast2',
    icecast.machine,
    ({ process }) => {
      icecast.reset()
      icecast.process = process
      process.onDeath.add(() => icecast.reset())
    },
    {},
  )
  const role = part(
    'role',
    icecast.machine,
    () => {
      const disk = diskOf(icecast.machine)
      simulatedIcecastRole(world, { broker, icecast, disk, onRaise: (...raised) => hooks.onRaise(...raised) })
    },
    {},
  )
  const apis = ['api1', 'api2'].map((name): Part & { api: SimulatedApi | null } =>
    part(name, name, (self) => void (self.api = simulatedApi(world, { broker, database, toCommand })), {
      api: null as SimulatedApi | null,
    }),
  )
  const servers = SERVERS.map((name): Server => {
    const engines = machine(name, world, net, icecast)
    const startAgent = (self: { memory: Memory | null }) => {
      const disk = diskOf(name)
      simulatedAgent(world, { machine: engines, broker, icecast, disk, onMemory: (memory) => void (self.memory = memory) })
    }
    const self: Server = part(name, name, (self) => startAgent(self), {
      engines,
      memory: null as Memory | null,
      runsSince: (): number => self.process.ranSince,
    })
    return self
  })

  const channels = Array.from({ length: CHANNELS }, (_, index) => `c${index + 1}`)
  const heardAt = new Map<string, number>()
  const opening = world.random.fork('replicas')
  const operator = world.start('operator', OPERATOR, () => {})
  for (const id of channels) {
    database.tables.create({ id, slug: id, replicas: opening.chance(0.5) ? 2 : 1 })
    world.start(`listener-${id}`, 'home', () => listen(id))
  }
  const listen = (id: string) => {
    const note = () => void heardAt.set(id, world.now)
    simulatedEar(world, icecast, { mount: `/${id}`, isMonitor: false, onSound: note })
  }
  return {
    world,
    net,
    broker,
    database,
    icecast,
    servers,
    apis,
    role,
    icecastDaemon,
    databaseDaemon,
    brokerDaemon,
    operator,
    channels,
    heardAt,
    hooks,
    listen() {
      icecast.flow()
      // Who was not let in can't tell: the mount itself is asked then.
      for (const id of channels) if (icecast.sounds(`/${id}`) && !icecast.hasAudience(`/${id}`)) heardAt.set(id, world.now)
    },
  }
}

import {
  busWatch,
  fleet,
  moveChannel,
  standbyView,
  newestStatuses,
  startTerm,
  stopStream,
  streamStarter,
  streamView,
  wishPlacement,
} from '@skipcast/api/core'
import { standbyKey, type StreamStatus } from '@skipcast/contracts'
import type { Channel, Stores, ToCommand } from '@skipcast/db'
import { running, type World } from '../kernel/world.ts'
import type { Broker } from '../twins/broker.ts'
import type { SimulatedDatabase } from '../twins/database.ts'
import { healthBoard, ownStalls } from '@skipcast/runtime'
import { API } from './settings.ts'
import { traceLogger } from './trace-logger.ts'

/** What people ask of the API, and what it would show. */
export interface SimulatedApi {
  start(channelId: string): Promise<Channel>
  stop(channelId: string): Promise<Channel>
  /** Gives the channel to another server. */
  move(channelId: string, to: { readonly serverId: string; readonly at: 'now' | 'track_end' }): Promise<Channel>
  /** Wishes for one replica, or for two. */
  replicate(channelId: string, replicas: 1 | 2): Promise<Channel>
  /** Wishes a server empty, or not any more. */
  drain(serverId: string, isDrained: boolean): Promise<void>
  /** What agents told last of a channel. */
  lastTold(channelId: string): StreamStatus | undefined
  view(channel: Channel): ReturnType<typeof streamView>
  viewStandby(channel: Channel): ReturnType<typeof standbyView>
}

/** Starts the product's API in the process that calls, but for HTTP: two of them share one database. */
export function simulatedApi(
  world: World,
  parts: { broker: Broker; database: SimulatedDatabase; toCommand: ToCommand },
): SimulatedApi {
  const process = running.getStore()!
  const { database, toCommand } = parts
  const bus = parts.broker.connect(process)
  const hearing = busWatch(bus)
  let placeSoon = () => {}
  const servers = fleet(bus, hearing, {
    silentAfterMs: API.serverSilentAfterMs,
    graceMs: API.serverGraceMs,
    stalls: ownStalls({ steadyMs: () => performance.now() }),
    onChange: () => placeSoon(),
  })
  const told = bus.watch('streamStatus')
  const statuses = newestStatuses(told)
  const startedAt = Date.now()
  const deafSince = () => hearing.deafSince ?? (told.isCaughtUp ? null : startedAt)
  const channels = database.storesOf(process)
  const ports = {
    stores: { channels } as unknown as Stores,
    fleet: servers,
    random: () => world.random.next(),
    settings: { maxSilentPercent: API.maxSilentPercent, trashDays: API.trashDays },
  }
  const start = streamStarter(ports)
  database.lead(process, (outbox) => {
    const nothing = async () => false
    const term = startTerm(
      { outbox, history: { rollUp: nothing, forgetListenerHours: nothing, forgetTrackPlays: nothing } },
      {
        ...ports,
        bus,
        toCommand,
        history: API.history,
        placement: API.placement,
        health: healthBoard(),
        onRelayed() {},
        onMoved() {},
        logger: traceLogger(world),
      },
    )
    placeSoon = () => term.placeSoon()
    return term
  })
  const factsOf = (serverId: string | null, key: string) => ({
    status: statuses.values.get(key),
    server: serverId === null ? ({ kind: 'unknown' } as const) : servers.sight(serverId),
    heardAt: serverId === null ? null : servers.heardAt(serverId),
    deafSince: deafSince(),
  })
  const find = async (channelId: string) => {
    const channel = await channels.find(channelId)
    if (!channel) throw new Error('There is no such channel')
    return channel
  }
  return {
    start: async (id) => start(await find(id)),
    stop: async (id) => stopStream(ports, await find(id)),
    move: async (id, to) => moveChannel(ports, await find(id), to),
    replicate: async (id, replicas) => wishPlacement(ports, await find(id), { replicas }),
    drain: (serverId, isDrained) => database.drain(process, serverId, isDrained),
    lastTold: (id) => statuses.values.get(id),
    view: (wanted) => streamView({ wanted, ...factsOf(wanted.serverId, wanted.id), listeners: null }),
    viewStandby: (wanted) => standbyView({ wanted, ...factsOf(wanted.standbyServerId, standbyKey(wanted.id)) }),
  }
}

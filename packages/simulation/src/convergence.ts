import type { Channel } from '@skipcast/db'
import { mountsOf } from '@skipcast/icecast/core'
import type { Constellation } from './constellation.ts'
import type { Operator } from './operator.ts'
import { nameOf, seatsOf } from './seats.ts'
import type { SimulatedEngine } from './twins/machine.ts'

/** Null once all is as it is wanted; else what is not. Meant for a world without faults. */
export function whyNotConverged(constellation: Constellation, operator: Operator): string | null {
  const { world, database, icecast, servers, apis, heardAt } = constellation
  const silentFor = (channelId: string) => world.now - (heardAt.get(channelId) ?? 0)

  const holders = (channelId: string) =>
    servers.flatMap(({ name, engines }) =>
      [...engines.engines.values()].flatMap((engine: SimulatedEngine) => {
        const channel = engine.process.state === 'dead' ? undefined : engine.channels.get(channelId)
        return channel ? [{ server: name, engine, channel }] : []
      }),
    )

  const whyNot = (channel: Channel): string | null => {
    const acknowledged = operator.acknowledged.get(channel.id)
    if (acknowledged && channel.generation < acknowledged.generation) return 'an acknowledged command was lost'
    const held = holders(channel.id)
    const views = apis.map(({ process, api }) => (api ? world.peek(process, () => api.view(channel)) : null))
    if (channel.wanted === 'off') {
      if (held.length > 0) return `${held[0]!.engine.id} still holds it`
      if (mountsOf(`/${channel.id}`).some((mount) => icecast.mounts.has(mount))) return 'a mount of it is still there'
      return views.every((view) => view?.phase === 'off') ? null : `an API says ${views.map((view) => view?.phase).join(', ')}`
    }
    const seats = seatsOf(channel)
    const isNobodyAllowed = servers.every(({ name }) => database.tables.drained.has(name))
    // Who was started when all servers were to be empty waits for one.
    if (seats.length === 0 && isNobodyAllowed) return held.length === 0 ? null : `${held[0]!.engine.id} still holds it`
    const isRoom = servers.filter(({ name }) => !database.tables.drained.has(name)).length > seats.length
    if (channel.replicas === 2 && seats.length < 2 && isRoom) return 'it has no second replica'
    if (channel.replicas === 1 && seats.length > 1) return 'it has a second replica'
    if (held.length !== seats.length) return `${held.length} engines hold it`
    for (const { server, epoch, mount } of seats) {
      const holder = held.find((one) => one.server === server)
      if (!holder) return `${server} does not hold it`
      const { record } = holder.channel
      if (record.epoch !== epoch || record.generation !== channel.generation) return `${holder.engine.id} holds ${nameOf(record)}`
      if (icecast.mounts.get(mount)?.from !== holder.engine.process) return `${holder.engine.id} does not feed ${mount}`
      if (database.tables.drained.has(server) && isRoom) return `${server} is to be empty`
    }
    if ((icecast.turned.get(`/${channel.id}`) ?? `/${channel.id}`) !== seats[0]?.mount)
      return 'listeners are sent to another mount than its primary’s'
    const seconds =
      seats.length === 2 ? apis.map(({ process, api }) => (api ? world.peek(process, () => api.viewStandby(channel)) : null)) : []
    if (seconds.some((second) => second?.phase !== 'on_air'))
      return `an API says of its standby ${seconds.map((second) => second?.phase).join(', ')}`
    if (silentFor(channel.id) > 1000) return 'its listener does not hear it'
    return views.every((view) => view?.phase === 'on_air' && !view.isStale)
      ? null
      : `an API says ${views.map((view) => `${view?.phase}${view?.isStale ? ' (stale)' : ''}`).join(', ')}`
  }

  for (const channel of database.tables.read()) {
    const why = whyNot(channel)
    if (why !== null) return `${channel.id} (${channel.wanted}, generation ${channel.generation}, epoch ${channel.epoch}): ${why}`
  }
  return null
}

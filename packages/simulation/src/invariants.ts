import { verifySourceToken } from '@skipcast/contracts'
import type { Channel } from '@skipcast/db'
import { mountsOf } from '@skipcast/icecast/core'
import type { Constellation } from './constellation.ts'
import type { Operator } from './operator.ts'
import { API, SIGNING_KEY } from './roles/settings.ts'
import type { SimulatedEngine } from './twins/machine.ts'

/** Something that must never be was. */
export class Violation extends Error {
  readonly invariant: string

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`)
    this.name = 'Violation'
    this.invariant = invariant
  }
}

/** Nobody may be told `on_air` for longer than this while listeners hear nothing. */
const LIE_MS = 2000
/** An agent that has just begun to run, or to run again, believes what was true before for so long (`phase.ts`). */
const UNSURE_MS = 3000
/** What is told takes so long from an agent to an API, in a sound network. */
const TELLING_MS = 2000
/** So long the bus may hang before a publish is given up, and a little more. */
const PUBLISH_MS = 12_000

/** What an API shows is worked out so often while a channel is not heard. */
const VIEW_EVERY_MS = 100

export interface Watch {
  /** Throws a Violation. Called after each step. */
  check(): void
  /** Null once all is as it is wanted; else what is not. Meant for a world without faults. */
  whyNotConverged(): string | null
}

/** Sees everything from outside, at every step. */
export function watchInvariants(constellation: Constellation, operator: Operator): Watch {
  const { world, net, broker, database, icecast, servers, apis, hooks, heardAt } = constellation
  const rows = new Map<string, Channel>()
  const raised = new Map<string, number>()
  const admitted = new Map<string, { epoch: number; server: string }>()
  const onAirSince = new Map<string, number>()

  /** What is seen in the middle of a step is thrown at its end: in between, somebody might catch it. */
  let seen: Violation | null = null
  const violate = (invariant: string, what: string) => {
    seen ??= new Violation(invariant, what)
  }

  hooks.onWrite = (channel) => {
    const before = rows.get(channel.id)
    rows.set(channel.id, channel)
    world.trace.note(
      world.now,
      'database',
      `${channel.id} ${channel.wanted} on ${channel.serverId ?? 'nobody'}, generation ${channel.generation}, epoch ${channel.epoch}`,
    )
    if (!before) return
    if (channel.epoch < before.epoch || channel.generation < before.generation)
      violate('epochs only grow', `${channel.id} went back in the database`)
    if (channel.serverId !== before.serverId && channel.epoch === before.epoch)
      violate('epochs only grow', `${channel.id} moved to ${channel.serverId} within epoch ${channel.epoch}`)
  }
  hooks.onRaise = (channelId, mount, epoch) => {
    const key = `${channelId} ${mount}`
    if (epoch < (raised.get(key) ?? 0)) violate('epochs only grow', `${channelId} went back to ${epoch} at Icecast's ${mount}`)
    raised.set(key, epoch)
  }
  icecast.onAdmit(({ path, password, from }) => {
    const claim = verifySourceToken(SIGNING_KEY, path, password)
    if (!claim) return
    const before = admitted.get(path)
    if (before && claim.epoch < before.epoch)
      violate('one publisher per mount', `${from.name} got in with epoch ${claim.epoch} after ${before.epoch} had`)
    if (before && claim.epoch === before.epoch && from.machine !== before.server)
      violate('one publisher per mount', `${from.machine} and ${before.server} feed ${path} in epoch ${claim.epoch}`)
    admitted.set(path, { epoch: claim.epoch, server: from.machine })
  })
  for (const { engines: machine } of servers) {
    machine.onTake((engine, record) => {
      const held = [...machine.engines.values()].flatMap(({ channels, process }) =>
        process.state === 'running'
          ? [...channels.values()].filter(({ record: { channelId } }) => channelId === record.channelId)
          : [],
      )
      const newer = held.find(({ record: other }) => isNewer(other, record))
      if (newer)
        violate('epochs only grow', `${engine.id} took ${nameOf(record)} while ${machine.name} has ${nameOf(newer.record)}`)
    })
  }

  /** How long somebody has called the channel on air, without anything being heard. */
  /** When the role was not there last: an engine may be on air on its mount, and nobody there to send listeners to it. */
  let roleAwayAt = 0
  const lieMs = (who: string, channelId: string, saysOnAir: boolean): number => {
    const key = `${who} ${channelId}`
    if (!saysOnAir) {
      onAirSince.delete(key)
      return 0
    }
    const since = onAirSince.get(key) ?? world.now
    onAirSince.set(key, since)
    return world.now - Math.max(since, heardAt.get(channelId) ?? 0, roleAwayAt)
  }
  const lie = (who: string, channelId: string, ms: number) =>
    new Violation(
      'status tells the truth',
      `${who} has called ${channelId} on air for ${Math.round(ms)} ms, and nothing was heard`,
    )

  const checkAgents = () => {
    for (const { name, process, memory, runsSince } of servers) {
      if (busTrouble(name)) troubledAt.set(name, world.now)
      // A bus that hangs holds up the agent's reports: what it does not tell is no lie.
      if (world.now - (troubledAt.get(name) ?? -Infinity) < PUBLISH_MS) continue
      const limitMs = LIE_MS + Math.max(0, UNSURE_MS - (world.now - LIE_MS - runsSince()))
      for (const channelId of constellation.channels) {
        const memo = memory?.memos.get(channelId)
        // Where a newer epoch is wanted, what is said of the old one is nobody's truth any more.
        const isPresent = process.state === 'running' && (rows.get(channelId)?.epoch ?? 0) <= (memo?.epoch ?? 0)
        const ms = lieMs(name, channelId, isPresent && memo?.phase === 'on_air')
        if (ms > limitMs) throw lie(name, channelId, ms)
      }
    }
  }
  const troubledAt = new Map<string, number>()
  const busTrouble = (server: string) =>
    constellation.brokerDaemon.process.state !== 'running' ||
    broker.lossRate > 0 ||
    net.slowness > 1 ||
    net.isCut(server, broker.machine) ||
    net.isCut(broker.machine, server)

  /** An API that just began to hear calls nobody silent for a while. */
  const graceOf = (api: string, ranSince: number) => {
    const deafAt = Math.max(ranSince, troubledAt.get(api) ?? 0)
    return world.now - deafAt < 2 * API.serverGraceMs ? API.serverGraceMs : 0
  }

  let viewsAt = 0
  const checkViews = () => {
    if (world.now < viewsAt) return
    viewsAt = world.now + VIEW_EVERY_MS
    for (const { name } of apis) if (busTrouble(name)) troubledAt.set(name, world.now)
    for (const [channelId, row] of rows) {
      const isHeard = world.now - (heardAt.get(channelId) ?? 0) < VIEW_EVERY_MS
      for (const { name, process, api } of apis) {
        const view = isHeard || row.wanted === 'off' || !api ? null : world.peek(process, () => api.view(row))
        const ms = lieMs(name, channelId, view?.phase === 'on_air' && !view.isStale)
        const limitMs = LIE_MS + API.serverSilentAfterMs + UNSURE_MS + TELLING_MS
        if (ms > limitMs + graceOf(name, process.ranSince)) throw lie(name, channelId, ms)
      }
    }
  }
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
    if (held.length !== 1) return `${held.length} engines hold it`
    const { server, engine, channel: found } = held[0]!
    if (database.tables.drained.has(server) && servers.some(({ name }) => !database.tables.drained.has(name)))
      return `${server} is to be empty`
    if (server !== channel.serverId) return `${server} holds it`
    if (found.record.epoch !== channel.epoch || found.record.generation !== channel.generation)
      return `${engine.id} holds ${nameOf(found.record)}`
    const active = icecast.turned.get(`/${channel.id}`) ?? `/${channel.id}`
    if (icecast.mounts.get(active)?.from !== engine.process) return 'its engine does not feed the mount where listeners are sent'
    if (silentFor(channel.id) > 1000) return 'its listener does not hear it'
    return views.every((view) => view?.phase === 'on_air' && !view.isStale)
      ? null
      : `an API says ${views.map((view) => `${view?.phase}${view?.isStale ? ' (stale)' : ''}`).join(', ')}`
  }

  return {
    check() {
      if (seen) throw seen
      if (constellation.role.process.state !== 'running') roleAwayAt = world.now
      checkAgents()
      checkViews()
    },
    whyNotConverged() {
      for (const channel of database.tables.read()) {
        const why = whyNot(channel)
        if (why !== null)
          return `${channel.id} (${channel.wanted}, generation ${channel.generation}, epoch ${channel.epoch}): ${why}`
      }
      return null
    },
  }
}

interface Version {
  readonly channelId: string
  readonly epoch: number
  readonly generation: number
}

function isNewer(a: Version, b: Version): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.generation > b.generation)
}

function nameOf({ channelId, epoch, generation }: Version): string {
  return `${channelId} in epoch ${epoch}, generation ${generation}`
}

import { verifySourceToken } from '@skipcast/contracts'
import type { Channel } from '@skipcast/db'
import type { Constellation } from './constellation.ts'
import { API, SIGNING_KEY } from './roles/settings.ts'
import { isNewer, nameOf, seatsOf } from './seats.ts'

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
/**
 * While any engine in its seat reaches Icecast, its listeners are without the programme for so long at most. Most are handed on at once; a source that sends nothing is
 * ended after 2 s, and who came at the moment of a switch is found by the role's next pass.
 */
const SWITCH_MS = 7000
/** What is told takes so long from an agent to an API, in a sound network. */
const TELLING_MS = 2000
/** So long the bus may hang before a publish is given up, and a little more. */
const PUBLISH_MS = 12_000

/** What an API shows is worked out so often while a channel is not heard. */
const VIEW_EVERY_MS = 100

export interface Watch {
  /** Throws a Violation. Called after each step. */
  check(): void
}

/** Sees everything from outside, at every step. */
export function watchInvariants(constellation: Constellation): Watch {
  const { world, net, broker, icecast, servers, apis, hooks, heardAt } = constellation
  const rows = new Map<string, Channel>()
  const raised = new Map<string, number>()
  const admitted = new Map<string, { epoch: number; server: string }>()
  const onAirSince = new Map<string, number>()

  /** What is seen in the middle of a step is thrown at its end: in between, somebody might catch it. */
  let seen: Violation | null = null
  const violate = (invariant: string, what: string) => {
    seen ??= new Violation(invariant, what)
  }

  /** Which server and mount each epoch of a channel was given for. */
  const given = new Map<string, string>()
  const checkReplicas = (channel: Channel, before: Channel) => {
    const { id, serverId, epoch, standbyServerId, standbyEpoch, primaryMount } = channel
    if (standbyServerId !== null && standbyEpoch <= epoch)
      violate('epochs only grow', `the standby of ${id} has epoch ${standbyEpoch}, its primary ${epoch}`)
    if (standbyServerId !== null && standbyServerId === serverId)
      violate('two replicas, two servers', `${id} is twice on ${serverId}`)
    const isPromoted = serverId !== before.serverId && serverId !== null && serverId === before.standbyServerId
    if (isPromoted && (epoch !== before.standbyEpoch || primaryMount === before.primaryMount))
      violate('who is promoted plays on', `${id} on ${serverId} had epoch ${before.standbyEpoch} and gets ${epoch}`)
    const isNewcomer = serverId !== null && before.serverId !== null && serverId !== before.serverId && !isPromoted
    const isBeside = standbyServerId !== null && standbyServerId === before.standbyServerId
    if (isNewcomer && !isBeside && primaryMount === before.primaryMount)
      violate('make before break', `${id} goes to ${serverId} on the mount of ${before.serverId}`)
    for (const { server, epoch: present, mount } of seatsOf(channel)) {
      const [key, seat] = [`${id} ${present}`, `${server} at ${mount}`]
      if ((given.get(key) ?? seat) !== seat)
        violate('epochs only grow', `epoch ${present} of ${id} is ${seat}, and was ${given.get(key)}`)
      given.set(key, seat)
    }
  }

  hooks.onWrite = (channel) => {
    const before = rows.get(channel.id)
    rows.set(channel.id, channel)
    world.trace.note(
      world.now,
      'database',
      `${channel.id} ${channel.wanted} on ${channel.serverId ?? 'nobody'}, generation ${channel.generation}, epoch ${channel.epoch}${channel.standbyServerId === null ? '' : `, and on ${channel.standbyServerId}, epoch ${channel.standbyEpoch}`}`,
    )
    if (!before) return
    if (channel.epoch < before.epoch || channel.generation < before.generation)
      violate('epochs only grow', `${channel.id} went back in the database`)
    if (channel.serverId !== before.serverId && channel.epoch === before.epoch)
      violate('epochs only grow', `${channel.id} moved to ${channel.serverId} within epoch ${channel.epoch}`)
    checkReplicas(channel, before)
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
        const row = rows.get(channelId)
        // A standby speaks of its own mount, which nobody hears.
        const isPresent = process.state === 'running' && (row?.epoch ?? 0) <= (memo?.epoch ?? 0) && row?.standbyServerId !== name
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

  /** Since when Icecast, its role and the way to them have been sound, as far as listeners need them. */
  let castSoundSince = 0
  const comesSince = new Map<string, number>()
  const checkHandingOn = () => {
    const isSound =
      constellation.role.process.state === 'running' &&
      constellation.icecastDaemon.process.state === 'running' &&
      constellation.role.process.ranSince <= world.now &&
      net.slowness === 1
    if (!isSound) castSoundSince = world.now
    for (const row of rows.values()) {
      const comes = seatsOf(row).some(({ server, mount }) => {
        const source = icecast.mounts.get(mount)
        return source?.lastSoundAt === world.now && source.from.machine === server
      })
      if (!comes) comesSince.delete(row.id)
      else if (!comesSince.has(row.id)) comesSince.set(row.id, world.now)
      const since = Math.max(castSoundSince, comesSince.get(row.id) ?? world.now, heardAt.get(row.id) ?? 0)
      if (row.wanted === 'on' && world.now - since > SWITCH_MS)
        throw new Violation(
          'two replicas, one programme',
          `${row.id} comes to Icecast, and for ${Math.round(world.now - since)} ms nobody has heard it`,
        )
    }
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

  return {
    check() {
      if (seen) throw seen
      if (constellation.role.process.state !== 'running') roleAwayAt = world.now
      checkAgents()
      checkHandingOn()
      checkViews()
    },
  }
}

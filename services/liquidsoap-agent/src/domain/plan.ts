import type { Engine, RunningChannel } from './engine.ts'
import type { WantedStream } from './wanted.ts'

export type Step =
  | { readonly kind: 'remove'; readonly engineId: string; readonly channelId: string; readonly reason: RemoveReason }
  | { readonly kind: 'stop'; readonly engineId: string; readonly reason: StopReason }
  | { readonly kind: 'load'; readonly engineId: string; readonly stream: WantedStream }
  | { readonly kind: 'add'; readonly engineId: string; readonly stream: WantedStream }
  | { readonly kind: 'start' }

type RemoveReason = 'unwanted' | 'outdated' | 'twice' | 'stuck' | 'upgrade'
type StopReason = 'dead' | 'silent' | 'outdated' | 'tainted' | 'worn' | 'surplus'

export interface PlanLimits {
  readonly channelsPerEngine: number
  /** Idle engines kept ready: a channel that starts into a running engine is heard half a second earlier. */
  readonly warmEngines: number
  /** An engine that has not answered for so long is stopped. */
  readonly silentMs: number
  /** For how long engines have held no channel; none: they hold one. */
  readonly idleMs: ReadonlyMap<string, number>
  /** An idle engine that nobody needs is ended after so long: channels that come and go would have it started again at once. */
  readonly idleGraceMs: number
  /** An engine that was given so many channels gets no more. */
  readonly channelsPerLife: number
  /** An engine that has more memory than this is ended once it is idle. */
  readonly idleMemoryBytes: number
  readonly startsPerPass: number
  /** Channels that may be connecting to Icecast at a time: it lets one in after the other, and who comes back must not stand behind all. */
  readonly connectsAtOnce: number
  /** How often channels failed lately. The more often, the fewer share an engine with it. */
  readonly failures: ReadonlyMap<string, number>
  /** Additions of channels, `<engine id>.<record id>`, that their engines hold and do not send. */
  readonly stuck: ReadonlySet<string>
  /** Engines that had a stuck channel: what it left behind in there may hold up others. */
  readonly tainted: ReadonlySet<string>
  /** Channels that had been heard and are no more. An engine that does not answer and is not heard either is frozen. */
  readonly unheard: ReadonlySet<string>
  /** Channels that failed a moment ago and are not started yet. */
  readonly heldBack: ReadonlySet<string>
  /** Channels whose turn has not come: an engine is kept ready for each. */
  readonly waiting: ReadonlySet<string>
  /** Channels that another server takes over: they play on until they are put out. */
  readonly lingering: ReadonlySet<string>
  /** A channel may now be interrupted for a moment to leave an engine of an older script. */
  readonly mayUpgrade: boolean
  /** False while engines fail to start. */
  readonly mayStartEngine: boolean
  /** Engines that are being started and not listed yet. */
  readonly startsUnderWay: number
}

/**
 * Decides what must change on this machine, removals first. It sees only its arguments.
 * Never asks anything of an engine that does not answer; its channels count as running until it is gone, so that no
 * channel is ever given to two engines.
 */
export function plan(wanted: ReadonlyMap<string, WantedStream>, engines: readonly Engine[], limits: PlanLimits): Step[] {
  const alive = engines.filter(
    (engine) => engine.state === 'running' || (engine.state === 'silent' && mayRecover(engine, limits)),
  )
  const ended = engines.filter((engine) => !alive.includes(engine))
  const holders = holdersOf(alive)

  const running = alive.filter(({ state }) => state === 'running')
  const usable = running.filter(
    (engine) => whyRetire(engine, limits) === null && !engine.channels.some((channel) => isStuck(engine, channel, limits)),
  )
  const upgrade = upgradeOf(running, usable, wanted, limits)

  const removals: Step[] = []
  const loads: Step[] = []
  const kept = new Map(alive.map(({ id }) => [id, 0]))
  const held = new Set<string>()
  for (const [channelId, holds] of holders) {
    for (const [index, { engine, channel }] of holds.entries()) {
      const stream = wanted.get(channelId)
      const reason =
        index > 0
          ? 'twice'
          : (whyRemove(channel, stream, limits) ??
            (isStuck(engine, channel, limits) ? 'stuck' : channel === upgrade.channel ? 'upgrade' : null))
      if (reason && engine.state === 'running') {
        removals.push({ kind: 'remove', engineId: engine.id, channelId, reason })
        continue
      }
      kept.set(engine.id, kept.get(engine.id)! + 1)
      held.add(channelId)
      if (engine.state === 'running' && stream && needsLoad(channel, stream))
        loads.push({ kind: 'load', engineId: engine.id, stream })
    }
  }

  const starters = [...wanted.values()].filter(
    ({ record: { channelId }, tracks }) => tracks.length > 0 && !held.has(channelId) && !limits.heldBack.has(channelId),
  )
  const seated = seat(starters, usable, kept, limits)

  const idle = running.filter(({ id }) => kept.get(id) === 0)
  const ready = idle.filter((engine) => usable.includes(engine))
  const warmEngines = isCovered(running, usable, kept, limits) ? 0 : limits.warmEngines
  const lacking = seated.enginesLacking + Math.max(warmEngines, upgrade.enginesLacking) - ready.length - limits.startsUnderWay
  const starts = limits.mayStartEngine ? Math.max(0, Math.min(lacking, limits.startsPerPass)) : 0
  const surplus = ready
    .slice(Math.max(warmEngines, upgrade.enginesLacking))
    .filter(({ id }) => (limits.idleMs.get(id) ?? 0) >= limits.idleGraceMs)
  // One that is emptied only now ends in the next pass, when it has told of that.
  const retired = idle.flatMap((engine): Step[] => {
    const reason = whyRetire(engine, limits) ?? (surplus.includes(engine) ? 'surplus' : null)
    return reason && engine.channels.length === 0 ? [{ kind: 'stop', engineId: engine.id, reason }] : []
  })

  return [
    ...ended.map(({ id, state }): Step => ({ kind: 'stop', engineId: id, reason: state === 'dead' ? 'dead' : 'silent' })),
    ...removals,
    ...retired,
    ...Array.from({ length: starts }, (): Step => ({ kind: 'start' })),
    ...seated.steps.filter(isDue(limits)).slice(0, Math.max(0, limits.connectsAtOnce - countConnecting(running))),
    ...loads,
  ]
}

/** One that waits for its turn has its place, and no more. */
function isDue({ waiting }: PlanLimits): (step: Step & { readonly kind: 'add' }) => boolean {
  return ({ stream }) => !waiting.has(stream.record.channelId)
}

/** Two witnesses convict at once: no answer, and no sound of any of its channels. One alone has to wait. */
function mayRecover({ silentMs, channels }: Engine, { silentMs: limitMs, unheard }: PlanLimits): boolean {
  const isMute = channels.length > 0 && channels.every(({ channelId }) => unheard.has(channelId))
  return !isMute && silentMs < limitMs
}

interface Hold {
  readonly engine: Engine
  readonly channel: RunningChannel
}

/** Who holds each channel, the newest first: of two holders (a crash between two steps) the older goes. */
function holdersOf(engines: readonly Engine[]): Map<string, Hold[]> {
  const holders = new Map<string, Hold[]>()
  for (const engine of engines) {
    for (const channel of engine.channels) {
      holders.set(channel.channelId, [...(holders.get(channel.channelId) ?? []), { engine, channel }])
    }
  }
  for (const holds of holders.values()) {
    holds.sort((a, b) => b.channel.epoch - a.channel.epoch || b.channel.generation - a.channel.generation)
  }
  return holders
}

function whyRemove(
  channel: RunningChannel,
  stream: WantedStream | undefined,
  { lingering }: PlanLimits,
): 'unwanted' | 'outdated' | null {
  if (lingering.has(channel.channelId)) return channel.live?.isConnected === false ? 'unwanted' : null
  if (!stream || stream.command.tracks.length === 0) return 'unwanted'
  return isNewer(channel, stream) && channel.settings !== stream.record.settings ? 'outdated' : null
}

/** While no file of the new plan is here, the old plan goes on. */
function needsLoad(channel: RunningChannel, stream: WantedStream): boolean {
  if (!isNewer(channel, stream) || stream.tracks.length === 0) return false
  return channel.content !== stream.record.content || channel.generation !== stream.record.generation
}

/** An older command than the one that runs changes nothing. */
function isNewer(channel: RunningChannel, { record }: WantedStream): boolean {
  return record.epoch > channel.epoch || (record.epoch === channel.epoch && record.generation >= channel.generation)
}

function whyRetire(engine: Engine, limits: PlanLimits): 'outdated' | 'tainted' | 'worn' | null {
  if (engine.isOutdated) return 'outdated'
  if (limits.tainted.has(engine.id)) return 'tainted'
  const isLarge = engine.memoryBytes > limits.idleMemoryBytes && engine.channels.length === 0
  return engine.channelsAdded >= limits.channelsPerLife || isLarge ? 'worn' : null
}

function isStuck({ id }: Engine, { live }: RunningChannel, { stuck }: PlanLimits): boolean {
  return live !== null && stuck.has(`${id}.${live.recordId}`)
}

/**
 * The channel that leaves an engine of an older script next: one at a time, when all else is calm, and only into an engine that waits for it, so that listeners
 * miss no more than a moment.
 */
function upgradeOf(
  running: readonly Engine[],
  usable: readonly Engine[],
  wanted: ReadonlyMap<string, WantedStream>,
  limits: PlanLimits,
): { channel: RunningChannel | null; enginesLacking: number } {
  const none = { channel: null, enginesLacking: 0 }
  if (!limits.mayUpgrade || countConnecting(running) > 0) return none
  const outdated = running.filter(({ isOutdated }) => isOutdated).flatMap(({ channels }) => channels)
  const channel = outdated.find(
    ({ channelId, live }) =>
      live?.isConnected && (wanted.get(channelId)?.tracks.length ?? 0) > 0 && !limits.heldBack.has(channelId),
  )
  if (!channel) return none
  const hasRoom = usable.some(({ channels }) => channels.length < limits.channelsPerEngine)
  return hasRoom ? { channel, enginesLacking: 0 } : { channel: null, enginesLacking: 1 }
}

/** Channels that have neither got into Icecast nor been turned away yet. */
function countConnecting(engines: readonly Engine[]): number {
  const channels = engines.flatMap((engine) => engine.channels)
  return channels.filter(({ live }) => live && live.isPlayable && !live.isConnected && live.problem === '').length
}

/** Whether, whichever engine dies, the others that play have room for all of its channels: then none needs to be kept idle for that. */
function isCovered(
  running: readonly Engine[],
  usable: readonly Engine[],
  kept: ReadonlyMap<string, number>,
  { channelsPerEngine }: PlanLimits,
): boolean {
  const heldBy = ({ id }: Engine) => kept.get(id)!
  const playing = running.filter((engine) => heldBy(engine) > 0)
  const roomWithout = (lost: Engine) =>
    playing
      .filter((engine) => engine !== lost && usable.includes(engine))
      .reduce((room, engine) => room + Math.max(0, channelsPerEngine - heldBy(engine)), 0)
  return playing.length > 0 && playing.every((engine) => roomWithout(engine) >= heldBy(engine))
}

/** Fills the fullest engines first, so that idle ones stay idle. */
function seat(
  streams: readonly WantedStream[],
  engines: readonly Engine[],
  kept: Map<string, number>,
  limits: PlanLimits,
): { steps: (Step & { readonly kind: 'add' })[]; enginesLacking: number } {
  const steps: (Step & { readonly kind: 'add' })[] = []
  const most = new Map(
    engines.map(({ id, channels }) => [id, Math.min(...channels.map((channel) => mayShare(channel.channelId, limits)))]),
  )
  let enginesLacking = 0
  for (const stream of streams) {
    const { channelId } = stream.record
    const share = mayShare(channelId, limits)
    const engine = engines
      .filter(({ id }) => kept.get(id)! < Math.min(share, most.get(id)!))
      .reduce<Engine | null>((best, next) => (best && kept.get(best.id)! >= kept.get(next.id)! ? best : next), null)
    if (!engine) {
      enginesLacking += 1 / share
      continue
    }
    kept.set(engine.id, kept.get(engine.id)! + 1)
    most.set(engine.id, Math.min(share, most.get(engine.id)!))
    steps.push({ kind: 'add', engineId: engine.id, stream })
  }
  return { steps, enginesLacking: Math.ceil(enginesLacking - 1e-9) }
}

/**
 * With how many a channel may be in one engine, itself among them. It is not known who of an engine's channels made it crash: each time half as
 * many are together again, until the one that does it is alone.
 */
function mayShare(channelId: string, { failures, channelsPerEngine }: PlanLimits): number {
  const failed = failures.get(channelId) ?? 0
  return Math.max(1, Math.floor(channelsPerEngine / 2 ** Math.max(0, failed - 1)))
}

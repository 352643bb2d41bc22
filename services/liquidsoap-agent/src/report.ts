import type { Bus, StateView } from '@skipcast/bus'
import type { NowPlaying, StartStream, StreamEvent, StreamStatus } from '@skipcast/contracts'
import type { OwnStalls } from '@skipcast/runtime'
import type { Teller } from './domain/engine-event.ts'
import { judge, UNHEARD_MS, wasHeard } from './domain/phase.ts'
import { problem, type ProblemCode } from './domain/problem.ts'
import { essence, eventOf, statusMessage, type Report } from './domain/status.ts'
import { startsFor, type WantedStream } from './domain/wanted.ts'
import type { SentPlay } from './hear-plays.ts'
import type { Clock, Journal, Memo, Memory, OpenEar } from './ports.ts'
import type { Observation } from './reconcile.ts'
import type { SpoiledTracks } from './spoiled-tracks.ts'
import type { Telemetry } from './telemetry.ts'
import type { Troubles } from './troubles.ts'
import { watchChannel, type ChannelWatch, type Found } from './watch-channel.ts'

/** A status that did not change is told again after so long, so that readers can tell old from dead. */
const REPEAT_MS = 5000
/**
 * So long `off` is told again and again, as every other phase is: what the agent before us gave to the bus may come there after what we told, and would
 * stand there for ever.
 */
const STRAGGLERS_MS = 15_000
/** Bytes come several times a second: without any for so long, the engine is asked whether it lives. */
const DOUBT_MS = 400
/** Asked so often only in the beginning: later the regular passes do. */
const DOUBT_ENDS_MS = 3000
/** Events that wait for a full disk; beyond it the oldest go. Each channel has one at each change of its phase. */
const MAX_OWED = 10_000
/** After the bus refused, it is left alone for so long. */
const BUS_PAUSE_MS = 1000

export interface ReportPorts {
  readonly bus: Pick<Bus, 'publish'>
  readonly commands: StateView<'streamCommands'>
  readonly observed: () => Observation
  readonly openEar: OpenEar
  readonly journal: Journal
  readonly memory: Memory
  readonly troubles: Troubles
  readonly spoiled: SpoiledTracks
  readonly clock: Clock
  readonly stalls: OwnStalls
  readonly tell: Telemetry
}

export interface Reporter extends AsyncDisposable {
  /** Judges every channel, tells what changed at once and the rest now and then. */
  pass(): Promise<void>
  /** The channels from which nothing has come for a second although they had been heard. */
  unheard(): ReadonlySet<string>
  /**
   * When listeners heard the beginning of a play, in ms since the Unix epoch; null while they have not. Of a play that `isOver` at the engine it is told
   * at once, as far as it is known.
   */
  heardAt(channelId: string, play: SentPlay, isOver: boolean): number | null
  /** The additions of channels, `<engine id>.<record id>`, that their engines hold and do not send. */
  stuck(): ReadonlySet<string>
  /** Tells that everything ends here because the server stops. */
  farewell(): Promise<void>
}

/**
 * Tells the phases of this server's channels. `onNews` asks for a pass: a channel has just been heard, or our ear at it came or went. `onDoubt` is called while
 * one has just fallen mute, `onHeard` when listeners hear another track.
 */
export function reporter(
  ports: ReportPorts,
  options: { teller: Teller; silenceAfterMs: number; onNews: () => void; onDoubt: () => void; onHeard: () => void },
): Reporter {
  const { bus, commands, memory, troubles, clock, tell } = ports
  const { teller } = options
  const watches = new Map<string, ChannelWatch>()
  const told = new Map<string, { essence: string; at: number; firstAt: number }>()
  let busAwayUntil = -Infinity
  /** What the disk has not taken yet. */
  const owed: StreamEvent[] = []
  let isMemoryOwed = false

  const watchOf = ({ channel_id, mount }: StartStream): ChannelWatch => {
    const watch = watches.get(channel_id) ?? watchChannel(ports.openEar(mount, options.onNews), clock, ports.stalls)
    watches.set(channel_id, watch)
    return watch
  }

  const isReached = () => ports.observed().reach === 'reached'

  /** The next report of a channel that is wanted here. */
  const judgeWanted = (
    start: StartStream,
    stream: WantedStream | undefined,
    found: Found | undefined,
    memo: Memo | undefined,
  ): Report => {
    const watch = watchOf(start)
    const previous = !memo || memo.phase === 'off' || memo.phase === 'stopping' ? 'starting' : memo.phase
    const sight = watch.look(found, previous, troubleOf(start.channel_id, stream, ports.observed().startTrouble))
    const { phase, problem: judged } = judge(sight, options)
    const code = judged && WITHOUT_A_SIGHT.includes(judged) && !isReached() ? 'HOST_UNREACHABLE' : judged
    if (phase === 'on_air') troubles.heard(start.channel_id, watch.phaseMs())
    if (phase !== memo?.phase) watch.turn()
    return {
      slug: start.channel_slug,
      mount: start.mount,
      epoch: start.epoch,
      generation: start.generation,
      phase,
      since: phase === memo?.phase ? memo.since : clock.wallMs(),
      error: errorOf(start.channel_id, code ? { code } : phase === 'on_air' ? shortcomingOf(start, stream) : null, memo),
    }
  }

  /** What a channel lacks that is heard all the same. */
  const shortcomingOf = (start: StartStream, stream: WantedStream | undefined): Complaint | null => {
    const ofAll = (count: number) => `${count} of ${start.tracks.length}`
    const { count, why } = stream?.absent ?? { count: 0, why: 'MEDIA_MISSING' }
    if (count > 0) return { code: why === 'DISK_FULL' ? why : 'TRACKS_MISSING', detail: ofAll(count) }
    const spoiled = ports.spoiled.count(start)
    return spoiled > 0 ? { code: 'TRACKS_UNPLAYABLE', detail: ofAll(spoiled) } : null
  }

  const troubleOf = (channelId: string, stream: WantedStream | undefined, startTrouble: ProblemCode | null): ProblemCode | null =>
    stream?.lack ?? (troubles.of(channelId)?.code as ProblemCode | undefined) ?? startTrouble

  /** What was told already stays as it was told, with its time. */
  const errorOf = (channelId: string, complaint: Complaint | null, memo: Memo | undefined) => {
    if (complaint === null) return null
    const noted = troubles.of(channelId)
    const error = noted?.code === complaint.code ? noted : problem(complaint.code, clock.wallMs(), complaint.detail)
    return memo?.error?.code === error.code && memo.error.message === error.message ? memo.error : error
  }

  /** The next report of a channel that is not wanted here any more; null when it is another's to tell. */
  const judgeUnwanted = (channelId: string, found: Found | undefined, memo: Memo | undefined): Report | null => {
    const command = commands.values.get(channelId)
    if (command?.event === 'start_stream') return null
    const phase = found ? 'stopping' : 'off'
    const known = memo ?? found!.channel
    return {
      slug: known.slug,
      mount: known.mount,
      epoch: command?.epoch ?? known.epoch,
      generation: command?.generation ?? known.generation,
      phase,
      since: memo?.phase === phase ? memo.since : clock.wallMs(),
      error: null,
    }
  }

  const pass = async () => {
    const { wanted } = ports.observed()
    if (!wanted) return
    const starts = startsFor(teller.serverId, commands.values)
    const running = channelsOf(ports.observed())
    await closeEars(starts)

    const statuses: StreamStatus[] = []
    for (const channelId of new Set([...starts.keys(), ...running.keys(), ...memory.memos.keys()])) {
      const start = starts.get(channelId)
      const found = running.get(channelId)
      const memo = memory.memos.get(channelId)
      const report = start ? judgeWanted(start, wanted.get(channelId), found, memo) : judgeUnwanted(channelId, found, memo)
      if (!report) {
        isMemoryOwed = memory.memos.delete(channelId) || isMemoryOwed
        told.delete(channelId)
        continue
      }
      const before = { phase: memo?.phase ?? 'off', startedRecord: memo?.startedRecord ?? null } as const
      const event = eventOf(teller, channelId, before, report, found?.record ?? null)
      if (event) owed.push(event)
      if (report.phase !== before.phase) tell.phaseChanged(channelId, before.phase, report.phase, report.error?.code ?? null)
      const playing = playingOf(channelId, report, found, memo?.playing ?? null)
      if (playing && playing.track_play_id !== memo?.playing?.track_play_id) options.onHeard()
      const startedRecord = event?.event === 'channel_started' ? found!.record : before.startedRecord
      const lastPlay = playing?.track_play_id
        ? { playId: playing.track_play_id, mediaId: playing.media_id }
        : (memo?.lastPlay ?? null)
      const next: Memo = { ...report, startedRecord, playing, lastPlay }
      if (JSON.stringify(next) !== JSON.stringify(memo)) {
        memory.memos.set(channelId, next)
        isMemoryOwed = true
      }
      const monitors = watches.get(channelId)?.isPresent ? 1 : 0
      statuses.push(statusMessage(teller, channelId, report, { at: clock.wallMs(), playing, monitors }))
    }
    if (isAnyMute()) options.onDoubt()
    // A full disk keeps no truth from being told.
    const [kept] = await Promise.allSettled([payDisk()])
    await publish(statuses)
    if (kept.status === 'rejected') throw kept.reason
  }

  const payDisk = async () => {
    owed.splice(0, owed.length - MAX_OWED)
    const events = [...owed]
    await ports.journal.append(events)
    owed.splice(0, events.length)
    if (!isMemoryOwed) return
    await memory.save()
    isMemoryOwed = false
  }

  /** What listeners hear; while the engine does not answer, what they heard last. */
  const playingOf = (channelId: string, { phase }: Report, found: Found | undefined, before: NowPlaying | null) => {
    const sent = wasHeard(phase) ? found?.channel.live : null
    return sent === null && wasHeard(phase) ? before : (watches.get(channelId)?.plays.now(sent?.track ?? null, before) ?? null)
  }

  const isAnyMute = () =>
    [...watches.values()].map((watch) => watch.unheardMs()).some((ms) => ms >= DOUBT_MS && ms < DOUBT_ENDS_MS)

  const publish = async (statuses: readonly StreamStatus[]) => {
    const now = clock.steadyMs()
    if (now < busAwayUntil) return
    const due = statuses.filter((status) => {
      const last = told.get(status.channel_id)
      return !last || last.essence !== essence(status) || now - last.at >= REPEAT_MS
    })
    if (due.length === 0) return
    try {
      await bus.publish(
        'streamStatus',
        due.map((value) => ({ key: value.channel_id, value })),
      )
    } catch (error) {
      busAwayUntil = clock.steadyMs() + BUS_PAUSE_MS
      tell.busAway('status', error)
      return
    }
    for (const status of due) {
      const [last, said] = [told.get(status.channel_id), essence(status)]
      told.set(status.channel_id, { essence: said, at: now, firstAt: last?.essence === said ? last.firstAt : now })
    }
    const gone = due.filter(({ phase, channel_id }) => phase === 'off' && now - told.get(channel_id)!.firstAt >= STRAGGLERS_MS)
    for (const { channel_id } of gone) {
      memory.memos.delete(channel_id)
      told.delete(channel_id)
      troubles.forget(channel_id)
      ports.spoiled.forget(channel_id)
    }
    isMemoryOwed ||= gone.length > 0
  }

  const closeEars = async (starts: ReadonlyMap<string, StartStream>) => {
    for (const [channelId, watch] of watches) {
      if (starts.has(channelId)) continue
      watches.delete(channelId)
      await watch[Symbol.asyncDispose]()
    }
  }

  return {
    pass,
    unheard: () => new Set([...watches].filter(([, watch]) => watch.unheardMs() >= UNHEARD_MS).map(([channelId]) => channelId)),
    heardAt(channelId, play, isOver) {
      const plays = watches.get(channelId)?.plays
      if (!plays) return play.startedAt
      return isOver ? plays.expectedAt(play) : plays.heardAt(play)
    },
    stuck: () => new Set([...watches.values()].flatMap((watch) => watch.stuckRecord() ?? [])),
    async farewell() {
      const at = clock.wallMs()
      const error = problem('SERVER_STOPPED', at)
      const events: StreamEvent[] = []
      const statuses = [...memory.memos].map(([channelId, memo]) => {
        const report: Report =
          memo.phase === 'stopping' ? { ...memo, phase: 'off', since: at } : { ...memo, phase: 'failing', since: at, error }
        const event = eventOf(teller, channelId, memo, report, null)
        if (event) events.push(event)
        memory.memos.set(channelId, { ...memo, ...report })
        return statusMessage(teller, channelId, report, { at, playing: null, monitors: 0 })
      })
      owed.push(...events)
      isMemoryOwed = true
      await Promise.allSettled([payDisk()])
      busAwayUntil = -Infinity
      await publish(statuses)
    },
    async [Symbol.asyncDispose]() {
      await closeEars(new Map())
    },
  }
}

/** What is told of a channel that is not heard, when all that is known of its engine is old. */
const WITHOUT_A_SIGHT: readonly ProblemCode[] = ['NOT_HEARD', 'ENGINE_SILENT']

interface Complaint {
  readonly code: ProblemCode
  readonly detail?: string
}

/** Every channel in an engine; of two holders the one that answers. */
function channelsOf({ engines }: Observation): Map<string, Found> {
  const found = new Map<string, Found>()
  for (const { id, state, channels } of engines) {
    if (state === 'dead') continue
    for (const channel of channels) {
      if (found.get(channel.channelId)?.channel.live) continue
      found.set(channel.channelId, { channel, record: channel.live && `${id}.${channel.live.recordId}` })
    }
  }
  return found
}

import type { Bus, StateView } from '@skipcast/bus'
import type { NowPlaying, StartStream, StreamEvent, StreamStatus } from '@skipcast/contracts'
import type { OwnStalls } from '@skipcast/runtime'
import { channelWatches } from './channel-watches.ts'
import type { Teller } from './domain/engine-event.ts'
import { UNHEARD_MS, wasHeard } from './domain/phase.ts'
import { problem } from './domain/problem.ts'
import { runningSeats, seatsOf, type Seat } from './domain/seat.ts'
import { eventsOf, statusMessage, untoldPlay, type Report } from './domain/status.ts'
import type { SentPlay } from './hear-plays.ts'
import { judgeUnwanted, judgeWanted } from './judge-channel.ts'
import type { Clock, Journal, Memo, Memory, OpenEar } from './ports.ts'
import type { Observation } from './reconcile.ts'
import type { SpoiledTracks } from './spoiled-tracks.ts'
import type { Telemetry } from './telemetry.ts'
import { statusTeller } from './tell-statuses.ts'
import type { Troubles } from './troubles.ts'
import { channelsOf, type Found } from './watch-channel.ts'

/** Bytes come several times a second: without any for so long, the engine is asked whether it lives. */
const DOUBT_MS = 400
/** Asked so often only in the beginning: later the regular passes do. */
const DOUBT_ENDS_MS = 3000
/** Events that wait for a full disk; beyond it the oldest go. Each channel has one at each change of its phase. */
const MAX_OWED = 10_000

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
  const { commands, memory, troubles, clock, tell } = ports
  const { teller } = options
  const watches = channelWatches(ports, options.onNews)
  const statuses = statusTeller(ports)
  /** What the disk has not taken yet. */
  const owed: StreamEvent[] = []
  let isMemoryOwed = false

  /** The next report of a channel; null where it is another's to tell. */
  const reportOf = (channelId: string, seat: Seat | undefined, found: Found | undefined): Report | null => {
    const memo = memory.memos.get(channelId)
    if (!seat) return judgeUnwanted(commands.values.get(channelId), found, memo, clock)
    const stream = ports.observed().wanted?.get(channelId)
    return judgeWanted(ports, seat, { watch: watches.of(seat.start), stream, found, memo }, options)
  }

  const forget = (channelId: string) => {
    isMemoryOwed = memory.memos.delete(channelId) || isMemoryOwed
    statuses.forget(channelId)
  }

  /** Notes what is told of a channel, and returns its status. */
  const take = (channelId: string, report: Report, start: StartStream | undefined, found: Found | undefined): StreamStatus => {
    const memo = memory.memos.get(channelId)
    const before = memo ?? ({ phase: 'off', startedRecord: null, movedEpoch: null } as const)
    const now = { record: found?.record ?? null, movedFrom: start?.moved_from }
    const { events, told } = eventsOf(teller, channelId, before, report, now)
    owed.push(...events)
    if (report.phase !== before.phase) tell.phaseChanged(channelId, before.phase, report.phase, report.error?.code ?? null)
    const playing = playingOf(channelId, report, found, memo?.playing ?? null)
    if (playing && playing.track_play_id !== memo?.playing?.track_play_id) options.onHeard()
    const untold = memo?.isStandby && !report.isStandby ? untoldPlay(teller, channelId, report, playing, start?.playing) : null
    if (untold) owed.push(untold)
    const next: Memo = { ...report, ...told, playing, lastPlay: lastPlayOf(playing, report) ?? memo?.lastPlay ?? null }
    if (JSON.stringify(next) !== JSON.stringify(memo)) {
      memory.memos.set(channelId, next)
      isMemoryOwed = true
    }
    const monitors = watches.get(channelId)?.isPresent ? 1 : 0
    return statusMessage(teller, channelId, report, { at: clock.wallMs(), playing, monitors })
  }

  const pass = async () => {
    const { wanted } = ports.observed()
    if (!wanted) return
    const seats = runningSeats(seatsOf(teller.serverId, commands.values))
    const running = channelsOf(ports.observed())
    await watches.keep(new Map([...seats].map(([channelId, { start }]) => [channelId, start])))

    const due: StreamStatus[] = []
    for (const channelId of new Set([...seats.keys(), ...running.keys(), ...memory.memos.keys()])) {
      const [seat, found] = [seats.get(channelId), running.get(channelId)]
      const report = reportOf(channelId, seat, found)
      if (report) due.push(take(channelId, report, seat?.start, found))
      else forget(channelId)
    }
    if (watches.all().some(isInDoubt)) options.onDoubt()
    // A full disk keeps no truth from being told.
    const [kept] = await Promise.allSettled([payDisk()])
    for (const channelId of await statuses.tell(due)) {
      forget(channelId)
      troubles.forget(channelId)
      ports.spoiled.forget(channelId)
    }
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

  return {
    pass,
    unheard: () => new Set(watches.ids((watch) => watch.unheardMs() >= UNHEARD_MS)),
    heardAt(channelId, play, isOver) {
      const plays = watches.get(channelId)?.plays
      if (!plays) return play.startedAt
      return isOver ? plays.expectedAt(play) : plays.heardAt(play)
    },
    stuck: () => new Set(watches.all().flatMap((watch) => watch.stuckRecord() ?? [])),
    async farewell() {
      const at = clock.wallMs()
      const error = problem('SERVER_STOPPED', at)
      const last = [...memory.memos].map(([channelId, memo]) => {
        const report: Report =
          memo.phase === 'stopping' ? { ...memo, phase: 'off', since: at } : { ...memo, phase: 'failing', since: at, error }
        owed.push(...eventsOf(teller, channelId, memo, report, { record: null }).events)
        memory.memos.set(channelId, { ...memo, ...report })
        return statusMessage(teller, channelId, report, { at, playing: null, monitors: 0 })
      })
      isMemoryOwed = true
      await Promise.allSettled([payDisk()])
      await statuses.tell(last, { atOnce: true })
    },
    [Symbol.asyncDispose]: () => watches.keep(new Map()),
  }
}

/** It has just fallen mute. */
function isInDoubt(watch: { unheardMs(): number }): boolean {
  const ms = watch.unheardMs()
  return ms >= DOUBT_MS && ms < DOUBT_ENDS_MS
}

function lastPlayOf(playing: NowPlaying | null, { epoch }: Report): Memo['lastPlay'] {
  if (!playing?.track_play_id) return null
  return { playId: playing.track_play_id, mediaId: playing.media_id, epoch, sentAt: playing.queued_at ?? null }
}

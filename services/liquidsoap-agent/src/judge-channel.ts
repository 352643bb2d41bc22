import type { StartStream, StreamCommand } from '@skipcast/contracts'
import { judge } from './domain/phase.ts'
import { problem, type ProblemCode } from './domain/problem.ts'
import type { Seat } from './domain/seat.ts'
import type { Report } from './domain/status.ts'
import type { WantedStream } from './domain/wanted.ts'
import type { Clock, Memo } from './ports.ts'
import type { Observation } from './reconcile.ts'
import type { SpoiledTracks } from './spoiled-tracks.ts'
import type { Troubles } from './troubles.ts'
import type { ChannelWatch, Found } from './watch-channel.ts'

/** What is told of a channel that is not heard, when all that is known of its engine is old. */
const WITHOUT_A_SIGHT: readonly ProblemCode[] = ['NOT_HEARD', 'ENGINE_SILENT']

interface Complaint {
  readonly code: ProblemCode
  readonly detail?: string
}

export interface JudgePorts {
  readonly observed: () => Observation
  readonly troubles: Troubles
  readonly spoiled: SpoiledTracks
  readonly clock: Clock
}

/** The next report of a channel that this server shall run. */
export function judgeWanted(
  { observed, troubles, spoiled, clock }: JudgePorts,
  { role, start }: Seat,
  channel: { watch: ChannelWatch; stream: WantedStream | undefined; found: Found | undefined; memo: Memo | undefined },
  options: { silenceAfterMs: number },
): Report {
  const { watch, stream, found, memo } = channel
  const { channel_id, channel_slug, epoch, generation } = start
  const previous = !memo || memo.phase === 'off' || memo.phase === 'stopping' ? 'starting' : memo.phase
  const { startTrouble, reach } = observed()
  const trouble = stream?.lack ?? (troubles.of(channel_id)?.code as ProblemCode | undefined) ?? startTrouble
  const { phase, problem: judged } = judge(watch.look(found, previous, trouble), options)
  const code = judged && WITHOUT_A_SIGHT.includes(judged) && reach !== 'reached' ? 'HOST_UNREACHABLE' : judged
  if (phase === 'on_air') troubles.heard(channel_id, watch.phaseMs())
  if (phase !== memo?.phase) watch.turn()
  const complaint = code ? { code } : phase === 'on_air' ? shortcomingOf(start, stream, spoiled) : null
  return {
    slug: channel_slug,
    isStandby: role === 'standby',
    epoch,
    generation,
    phase,
    since: phase === memo?.phase ? memo.since : clock.wallMs(),
    error: complaint && errorOf(complaint, { noted: troubles.of(channel_id), told: memo?.error ?? null, clock }),
  }
}

/** What a channel lacks that is heard all the same. */
function shortcomingOf(start: StartStream, stream: WantedStream | undefined, spoiled: SpoiledTracks): Complaint | null {
  const ofAll = (count: number) => `${count} of ${start.tracks.length}`
  const { count, why } = stream?.absent ?? { count: 0, why: 'MEDIA_MISSING' }
  if (count > 0) return { code: why === 'DISK_FULL' ? why : 'TRACKS_MISSING', detail: ofAll(count) }
  const spoiledCount = spoiled.count(start)
  return spoiledCount > 0 ? { code: 'TRACKS_UNPLAYABLE', detail: ofAll(spoiledCount) } : null
}

/** What was told already stays as it was told, with its time. */
function errorOf(
  { code, detail }: Complaint,
  known: { noted: Report['error']; told: Report['error']; clock: Pick<Clock, 'wallMs'> },
): Report['error'] {
  const error = known.noted?.code === code ? known.noted : problem(code, known.clock.wallMs(), detail)
  return known.told?.code === error.code && known.told.message === error.message ? known.told : error
}

/** The next report of a channel that is not wanted here any more; null when it is another's to tell. */
export function judgeUnwanted(
  command: StreamCommand | undefined,
  found: Found | undefined,
  memo: Memo | undefined,
  clock: Pick<Clock, 'wallMs'>,
): Report | null {
  const known = memo ?? { ...found!.channel, isStandby: found!.channel.isStandby === true }
  const isAnothers = command?.event === 'start_stream' && !(known.isStandby && command.standby === undefined)
  if (isAnothers) return null
  const phase = found ? 'stopping' : 'off'
  return {
    slug: known.slug,
    isStandby: known.isStandby,
    epoch: command?.epoch ?? known.epoch,
    generation: command?.generation ?? known.generation,
    phase,
    since: memo?.phase === phase ? memo.since : clock.wallMs(),
    error: null,
  }
}

import { stamp, standbyKey, type NowPlaying, type StartStream, type StreamEvent, type StreamStatus } from '@skipcast/contracts'
import { channelEnvelope, type Teller } from './engine-event.ts'

/** What an agent tells of one channel. */
export interface Report {
  readonly slug: string
  /** It is of the second replica: told apart, and no event of it at all. */
  readonly isStandby: boolean
  readonly epoch: number
  readonly generation: number
  readonly phase: StreamStatus['phase']
  readonly since: number
  readonly error: StreamStatus['last_error']
}

export function statusMessage(
  teller: Teller,
  channelId: string,
  report: Report,
  now: { at: number; playing: NowPlaying | null; monitors: number },
): StreamStatus {
  const { serverId, origin } = teller
  const isHeard = report.phase === 'on_air' || report.phase === 'silent'
  return {
    ...stamp(origin, now.at, `${serverId}.${channelId}.${now.at}`),
    channel_id: channelId,
    channel_slug: report.slug,
    event: 'stream_status_update',
    phase: report.phase,
    ...(report.isStandby && { is_standby: true }),
    server_id: serverId,
    generation: report.generation,
    epoch: report.epoch,
    mount: publicMount(report),
    since: report.since,
    now_playing: isHeard ? now.playing : null,
    monitors: now.monitors,
    last_error: report.error,
  }
}

/** What must be told at once when it changes; the rest may wait for the next regular telling. */
export function essence(status: StreamStatus): string {
  const { phase, since, epoch, generation, now_playing, monitors, last_error } = status
  return JSON.stringify([phase, since, epoch, generation, now_playing, monitors, last_error?.code, last_error?.message])
}

/** The key of a status: a second replica has one of its own. */
export function statusKey({ channel_id, is_standby }: StreamStatus): string {
  return is_standby ? standbyKey(channel_id) : channel_id
}

/** What was told of a channel before. */
export interface Told {
  readonly phase: StreamStatus['phase']
  /** The engine's number of what was told to have started last, and the epoch of which a move was told last. */
  readonly startedRecord: string | null
  readonly movedEpoch: number | null
}

/**
 * The events that a change of a channel's report is, and what has been told then: it started (once per `record`, the engine's number for it), moved here (once per
 * epoch), failed, or stopped after it had started. The same change is the same event, with the same id. A standby tells none; what it runs as the
 * primary goes on unstarted.
 */
export function eventsOf(
  teller: Teller,
  channelId: string,
  before: Told,
  after: Report,
  now: { readonly record: string | null; readonly movedFrom?: string | undefined },
): { readonly events: readonly StreamEvent[]; readonly told: Pick<Told, 'startedRecord' | 'movedEpoch'> } {
  const { epoch, slug, since, phase } = after
  const named = (id: string) => channelEnvelope(teller, { channelId, slug, epoch }, since, id)
  const mount = publicMount(after)
  const events: StreamEvent[] = []
  let { startedRecord, movedEpoch } = before
  if (phase === 'on_air' && now.record !== null && now.record !== startedRecord) {
    startedRecord = now.record
    events.push({ ...named(`${startedRecord}.started`), event: 'channel_started', mount })
  }
  if (phase === 'on_air' && !after.isStandby && now.movedFrom !== undefined && movedEpoch !== epoch) {
    movedEpoch = epoch
    const move = { event: 'channel_moved', from_server_id: now.movedFrom, mount } as const
    events.push({ ...named(`${teller.serverId}.${channelId}.${epoch}.moved`), ...move })
  }
  if (phase === 'failing' && before.phase !== 'failing' && after.error)
    events.push({ ...named(`${teller.serverId}.${channelId}.${since}.failed`), event: 'channel_failed', error: after.error })
  if (phase === 'off' && before.phase !== 'off' && startedRecord !== null)
    events.push({ ...named(`${startedRecord}.stopped`), event: 'channel_stopped', mount })
  return { events: after.isStandby ? [] : events, told: { startedRecord, movedEpoch } }
}

/** Replicas send a beginning within so long of each other. */
const TOGETHER_MS = 2000

/**
 * What a standby plays that has just become the primary, where that began after what the primary before it told last: nobody has told of it. `told`: that, as
 * far as it is known.
 */
export function untoldPlay(
  teller: Teller,
  channelId: string,
  { slug, epoch }: Report,
  playing: NowPlaying | null,
  told: StartStream['playing'],
): StreamEvent | null {
  if (playing?.track_play_id === undefined || playing.queued_at === undefined || told === undefined) return null
  if (playing.queued_at - told.sent_at < TOGETHER_MS) return null
  const { track_play_id, ...rest } = playing
  return {
    ...channelEnvelope(teller, { channelId, slug, epoch }, playing.started_at, track_play_id),
    event: 'track_started',
    track_play_id,
    ...rest,
  }
}

/** Whichever mount a replica feeds, this is where the channel is heard. */
function publicMount({ slug }: Pick<Report, 'slug'>): string {
  return `/${slug}`
}

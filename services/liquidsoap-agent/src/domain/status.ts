import { stamp, type NowPlaying, type StreamEvent, type StreamStatus } from '@skipcast/contracts'
import { channelEnvelope, type Teller } from './engine-event.ts'

/** What an agent tells of one channel. */
export interface Report {
  readonly slug: string
  readonly mount: string
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
    server_id: serverId,
    generation: report.generation,
    epoch: report.epoch,
    mount: report.mount,
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

/**
 * The event that a change of a channel's report is, if it is one: it started (once per `record`, the engine's number for it), failed,
 * or stopped after it had started. The same change is the same event, with the same id.
 */
export function eventOf(
  teller: Teller,
  channelId: string,
  before: { readonly phase: StreamStatus['phase']; readonly startedRecord: string | null },
  after: Report,
  record: string | null,
): StreamEvent | null {
  const told = (id: string) => channelEnvelope(teller, { channelId, slug: after.slug, epoch: after.epoch }, after.since, id)
  if (after.phase === 'on_air' && record !== null && record !== before.startedRecord) {
    return { ...told(`${record}.started`), event: 'channel_started', mount: after.mount }
  }
  if (after.phase === 'failing' && before.phase !== 'failing' && after.error) {
    return { ...told(`${teller.serverId}.${channelId}.${after.since}.failed`), event: 'channel_failed', error: after.error }
  }
  if (after.phase === 'off' && before.phase !== 'off' && before.startedRecord !== null) {
    return { ...told(`${before.startedRecord}.stopped`), event: 'channel_stopped', mount: after.mount }
  }
  return null
}

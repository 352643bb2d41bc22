import { stamp, type StreamEvent } from '@skipcast/contracts'
import { z } from 'zod'
import type { ChannelRecord } from './engine.ts'

/** One line of an engine's events file: see liquidsoap/README.md. */
const line = z.object({
  seq: z.int().positive(),
  at: z.number().nonnegative(),
  event: z.string(),
  data: z.string(),
  track: z.string(),
  title: z.string(),
  artist: z.string(),
  detail: z.string(),
})
export type EngineEvent = z.infer<typeof line>

const record = z.object({
  channelId: z.string(),
  slug: z.string(),
  mount: z.string(),
  epoch: z.int(),
  generation: z.int(),
  settings: z.string(),
  content: z.string(),
  isStandby: z.literal(true).optional(),
})

/** The event of one line, or null when it is torn (a full disk, a crash within a write). */
export function parseEngineEvent(text: string): EngineEvent | null {
  return line.safeParse(parseJson(text)).data ?? null
}

/** The record that was handed to an engine with a channel, or null when it is not ours. */
export function parseRecord(data: string): ChannelRecord | null {
  return record.safeParse(parseJson(data)).data ?? null
}

/** Who tells an event: goes into its envelope. */
export interface Teller {
  readonly serverId: string
  readonly origin: { readonly application: string; readonly environment: string }
}

/** When listeners heard the beginning of a play, in ms since the Unix epoch; null while they have not. */
export type HeardAt = (
  channelId: string,
  play: { playId: string; title: string; artist: string; startedAt: number },
) => number | null

/** What an engine's event means to the world; null for what is our own business, and for what a standby plays: that is told of the first replica. Read twice, it is the same event with the same id. */
export function toStreamEvent(
  teller: Teller,
  engineId: string,
  event: EngineEvent,
  heardAt: HeardAt,
): StreamEvent | 'not yet' | null {
  const channel = parseRecord(event.data)
  if (!channel || channel.isStandby) return null
  const at = Math.round(event.at * 1000)
  const id = `${engineId}.${event.seq}`
  if (event.event === 'track_started') {
    const { track, title, artist } = event
    const heard = heardAt(channel.channelId, { playId: id, title, artist, startedAt: at })
    if (heard === null) return 'not yet'
    const play = { track_play_id: id, media_id: track, title, artist, started_at: heard, queued_at: at }
    return { ...channelEnvelope(teller, channel, heard, id), event: 'track_started', ...play }
  }
  if (event.event === 'track_failed')
    return { ...channelEnvelope(teller, channel, at, id), event: 'track_failed', media_id: event.track, reason: event.detail }
  return null
}

/** The part that all events of one channel share. */
export function channelEnvelope(
  teller: Teller,
  channel: Pick<ChannelRecord, 'channelId' | 'slug' | 'epoch'>,
  at: number,
  id: string,
) {
  return {
    ...stamp(teller.origin, at, id),
    channel_id: channel.channelId,
    channel_slug: channel.slug,
    server_id: teller.serverId,
    epoch: channel.epoch,
  }
}

/** What the text says, or null when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

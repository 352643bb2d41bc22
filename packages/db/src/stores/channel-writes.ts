import type { StateTopic, Track } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import type { Session } from '../database.ts'
import type { Channel as ChannelRow } from '../generated/client.ts'
import type { Channel, ChannelChange, ToCommand } from './records.ts'

/** The NOTIFY channel that tells the relay of new outbox rows. */
export const OUTBOX_CHANNEL = 'skipcast_outbox'

export function toChannel(row: ChannelRow): Channel {
  return { ...row, generation: Number(row.generation), epoch: Number(row.epoch) }
}

/** Locks a channel's row until the transaction ends: whoever changes a channel comes through here, one after another. */
export async function lockChannel(session: Session, id: string): Promise<Channel> {
  await session.$executeRaw`SELECT 1 FROM channels WHERE id = ${id} FOR UPDATE`
  const row = await session.channel.findUnique({ where: { id } })
  if (!row) throw new AppError('NOT_FOUND', 'There is no such channel.')
  return toChannel(row)
}

/** The playlist in order, as engines need it. */
export function readTracks(session: Session, channelId: string): Promise<Track[]> {
  return session.$queryRaw<Track[]>`
    SELECT m.id AS media_id, m.sha256, m.size_bytes::float8 AS size_bytes, m.duration_ms, m.title, m.artist
    FROM channel_media cm JOIN media m ON m.id = cm.media_id
    WHERE cm.channel_id = ${channelId} ORDER BY cm.position`
}

/**
 * Writes the new desired state of a locked channel, and, where agents must know of it, the command beside it: one more
 * generation, one outbox row. A change of server is one more epoch. An off channel's other changes concern nobody but us.
 * Rejects with CONFLICT for a wanted channel without a track.
 */
export async function writeChannel(
  session: Session,
  channel: Channel,
  change: ChannelChange,
  toCommand: ToCommand,
): Promise<Channel> {
  const at = new Date()
  const wanted = change.wanted ?? channel.wanted
  const isMove = change.serverId !== undefined && change.serverId !== channel.serverId
  const isCommand = wanted === 'on' || channel.wanted === 'on'
  const row = await session.channel.update({
    where: { id: channel.id, generation: channel.generation, epoch: channel.epoch },
    data: {
      ...change,
      generation: channel.generation + (isCommand ? 1 : 0),
      epoch: channel.epoch + (isMove ? 1 : 0),
      updatedAt: at,
      ...(isCommand && { commandedAt: at }),
    },
  })
  const next = toChannel(row)
  if (!isCommand) return next
  const tracks = await readTracks(session, channel.id)
  if (wanted === 'on' && tracks.length === 0) {
    throw new AppError(
      'CONFLICT',
      channel.wanted === 'on'
        ? 'The channel is on and this would leave its playlist empty. Stop it first, or attach other media.'
        : `The playlist is empty. Upload music (POST /api/media/upload), attach it (POST /api/channels/${channel.slug}/media), then start.`,
    )
  }
  await enqueue(session, 'streamCommands', channel.id, toCommand(next, tracks, at))
  return next
}

/** Adds a row to the outbox; the relay hears of it when the transaction commits. A null payload removes the key from its topic. */
export async function enqueue(session: Session, topic: StateTopic, key: string, payload: object | null): Promise<void> {
  const json = payload === null ? null : JSON.stringify(payload)
  await session.$executeRaw`
    WITH added AS (INSERT INTO outbox (topic, key, payload) VALUES (${topic}, ${key}, ${json}::json) RETURNING id)
    SELECT pg_notify(${OUTBOX_CHANNEL}, '') FROM added`
}

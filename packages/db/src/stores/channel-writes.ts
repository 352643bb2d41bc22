import type { StreamCommand, Topic } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import type { Session } from '../database.ts'
import { Prisma, type Channel as TableRow } from '../generated/client.ts'
import { setGenres } from './genres.ts'
import { COUNT_STALE_AFTER_MS } from './listener-counts.ts'
import type { Channel, ChannelChange, PlacementWish, PlaylistTrack, ToCommand } from './records.ts'
import { moveReplicas } from './replicas.ts'

/** The NOTIFY channel that tells the relay of new outbox rows. */
export const OUTBOX_CHANNEL = 'skipcast_outbox'

/** A channel's new desired state, and the command for the agents where they must know of it. */
export interface Draft {
  readonly channel: Channel
  readonly command: StreamCommand | null
}

/** Of the table `channels` and what belongs to it, as `toChannel` reads them. */
export const CHANNEL_COLUMNS = `
  c.id, c.owner_id AS "ownerId", c.name, c.slug, c.description, c.genre, ARRAY(SELECT g.genre_id FROM channel_genres g WHERE g.channel_id = c.id ORDER BY g.genre_id) AS "genreIds",
  c.privacy, c.deleted_at AS "deletedAt", c.artwork_sha256 AS "artworkSha256", c.views, (SELECT count(*)::int FROM channel_likes l WHERE l.channel_id = c.id) AS likes,
  c.max_listeners AS "maxListeners", (SELECT n.count FROM listener_counts n WHERE n.channel_id = c.id AND n.observed_at > now() - interval '${COUNT_STALE_AFTER_MS} ms') AS listeners,
  c.mode, c.format, c.bitrate_kbps AS "bitrateKbps", c.crossfade_ms AS "crossfadeMs",
  c.loudness_lufs AS "loudnessLufs", c.wanted, c.generation, c.replicas, c.server_labels AS "serverLabels", c.pinned_server_id AS "pinnedServerId",
  c.epoch, c.server_id AS "serverId", c.primary_mount AS "primaryMount", c.standby_epoch AS "standbyEpoch", c.standby_server_id AS "standbyServerId", c.moved_at AS "movedAt",
  c.moved_from AS "movedFrom", c.moved_because AS "movedBecause", c.hand_over AS "handOver", c.revision, c.commanded_at AS "commandedAt",
  c.created_at AS "createdAt", c.updated_at AS "updatedAt"`

/** A row of `CHANNEL_COLUMNS`. */
export type ChannelRow = Omit<TableRow, 'generation' | 'epoch' | 'standbyEpoch' | 'revision'> & {
  readonly genreIds: number[]
  readonly likes: number
  readonly listeners: number | null
  /** Of 64 bits: told as text, or as BigInt. */
  readonly generation: Long
  readonly epoch: Long
  readonly standbyEpoch: Long
  readonly revision: Long
}
type Long = string | bigint

export function toChannel(row: ChannelRow): Channel {
  return {
    ...row,
    generation: Number(row.generation),
    epoch: Number(row.epoch),
    standbyEpoch: Number(row.standbyEpoch),
    revision: Number(row.revision),
    replicas: row.replicas === 2 ? 2 : 1,
    serverLabels: row.serverLabels as Record<string, string>,
  }
}

/** The channels for which `which`, all that follows `FROM channels c`, holds. */
export async function readChannels(session: Session, which: Prisma.Sql): Promise<Channel[]> {
  const rows = await session.$queryRaw<ChannelRow[]>`SELECT ${Prisma.raw(CHANNEL_COLUMNS)} FROM channels c ${which}`
  return rows.map(toChannel)
}

/** Locks a channel's row until the transaction ends: nobody changes the channel meanwhile. Rejects with NOT_FOUND. */
export async function lockChannel(session: Session, id: string): Promise<Channel> {
  const channel = await lockChannelIfThere(session, id)
  if (!channel) throw new AppError('NOT_FOUND', 'There is no such channel.')
  return channel
}

/** The same; null when it was deleted, maybe while its lock was waited for. */
export async function lockChannelIfThere(session: Session, id: string): Promise<Channel | null> {
  const channel = await lockChannelEvenInTrash(session, id)
  return channel?.deletedAt === null ? channel : null
}

/** The same for one that may lie in the trash. */
export async function lockChannelEvenInTrash(session: Session, id: string): Promise<Channel | null> {
  await session.$executeRaw`SELECT 1 FROM channels WHERE id = ${id} FOR UPDATE`
  const [channel] = await readChannels(session, Prisma.sql`WHERE c.id = ${id}`)
  return channel ?? null
}

/** The playlist in order, as engines need it. */
export function readTracks(session: Session, channelId: string): Promise<PlaylistTrack[]> {
  return session.$queryRaw<PlaylistTrack[]>`
    SELECT m.id AS media_id, m.sha256, m.size_bytes::float8 AS size_bytes, m.duration_ms, m.title, m.artist,
      m.loudness_lufs, m.peak_dbfs, m.cue_in_ms, m.cue_out_ms
    FROM channel_media cm JOIN media m ON m.id = cm.media_id
    WHERE cm.channel_id = ${channelId} AND m.state = 'ready' AND m.deleted_at IS NULL ORDER BY cm.position`
}

/** What no agent needs to know. */
const WISHES: readonly string[] = ['replicas', 'serverLabels', 'pinnedServerId'] satisfies (keyof PlacementWish)[]

/**
 * What a change makes of a channel: one more revision, and, where agents must know of it, one more generation and the command; what a change of
 * servers is for epochs and mounts, `moveReplicas` says. An off channel's other changes concern nobody but us, nor does what is merely wished of its place.
 * Rejects with CONFLICT for a wanted channel without a track.
 */
export async function draftChange(
  channel: Channel,
  change: ChannelChange & Partial<Pick<Channel, 'genre'>>,
  ports: { readonly toCommand: ToCommand; readonly tracks: () => Promise<PlaylistTrack[]> },
): Promise<Draft> {
  const at = new Date()
  const { movedBecause = null, handOver = null, ...fields } = change
  const { serverId = channel.serverId, standbyServerId = channel.standbyServerId } = change
  const isMove = serverId !== channel.serverId
  const isOn = change.wanted === 'on' || channel.wanted === 'on'
  const changed = Object.keys(fields) // none: the playlist is another
  const isCommand = isOn && (changed.length === 0 || changed.some((field) => !WISHES.includes(field)))
  const next: Channel = {
    ...channel,
    ...fields,
    revision: channel.revision + 1,
    generation: channel.generation + (isCommand ? 1 : 0),
    ...moveReplicas(channel, { serverId, standbyServerId }),
    ...(isMove ? { movedAt: at, movedFrom: channel.serverId, movedBecause, handOver } : change.handOver === null && { handOver }),
    ...(channel.wanted === 'off' && { movedFrom: null, handOver: null }), // nobody has it
    updatedAt: at,
    ...(isCommand && { commandedAt: at }),
  }
  if (!isCommand) return { channel: next, command: null }
  const tracks = next.wanted === 'on' ? await ports.tracks() : []
  if (next.wanted === 'on' && tracks.length === 0) {
    throw new AppError(
      'CONFLICT',
      channel.wanted === 'on'
        ? 'The channel is on and this would leave its playlist empty. Stop it first, or attach other media.'
        : `The playlist is empty. Upload music (POST /api/media/upload), attach it (POST /api/channels/${channel.slug}/media), then start.`,
    )
  }
  return { channel: next, command: ports.toCommand(next, tracks, at) }
}

/**
 * Writes drafts of different channels, each with its command in the outbox, in one statement; the relay hears of it when the statement's transaction
 * commits. Only those are written whose revision is still the one they were made from and whose row nobody else has locked: their
 * ids come back. So nobody waits for another's lock here, and what was decided on an old picture is never written.
 */
export const WRITE_DRAFTS = {
  name: 'write-drafts',
  text: `
    WITH draft AS (
      SELECT * FROM json_to_recordset($1::json) AS d (
        id text, revision bigint, generation bigint, epoch bigint, name text, description text, genre text, privacy privacy, "deletedAt" timestamptz, mode stream_mode, format stream_format,
        "bitrateKbps" int, "crossfadeMs" int, "loudnessLufs" float8, wanted wanted, "maxListeners" int,
        replicas int, "serverLabels" jsonb, "pinnedServerId" text, "serverId" text, "primaryMount" channel_mount, "standbyEpoch" bigint, "standbyServerId" text, "movedAt" timestamptz,
        "movedFrom" text, "movedBecause" text, "handOver" hand_over, "commandedAt" timestamptz, "updatedAt" timestamptz, command json)
    ), own AS (
      SELECT c.id FROM channels c JOIN draft d ON c.id = d.id AND c.revision = d.revision - 1 FOR UPDATE OF c SKIP LOCKED
    ), written AS (
      UPDATE channels c SET revision = d.revision, generation = d.generation, epoch = d.epoch, name = d.name, description = d.description,
        genre = d.genre, privacy = d.privacy, deleted_at = d."deletedAt", mode = d.mode, format = d.format, bitrate_kbps = d."bitrateKbps", crossfade_ms = d."crossfadeMs", loudness_lufs = d."loudnessLufs", wanted = d.wanted, max_listeners = d."maxListeners",
        replicas = d.replicas, server_labels = d."serverLabels", pinned_server_id = d."pinnedServerId", server_id = d."serverId", primary_mount = d."primaryMount", standby_epoch = d."standbyEpoch",
        standby_server_id = d."standbyServerId", moved_at = d."movedAt", moved_from = d."movedFrom", moved_because = d."movedBecause", hand_over = d."handOver",
        commanded_at = d."commandedAt", updated_at = d."updatedAt"
      FROM draft d JOIN own USING (id) WHERE c.id = d.id RETURNING c.id
    ), told AS (
      INSERT INTO outbox (topic, key, payload)
      SELECT 'streamCommands', d.id, d.command FROM draft d JOIN written USING (id) WHERE d.command IS NOT NULL RETURNING id
    )
    SELECT id, (SELECT pg_notify('${OUTBOX_CHANNEL}', '')::text FROM told LIMIT 1) FROM written`,
}

/** The parameters of `WRITE_DRAFTS`. */
export function draftValues(drafts: readonly Draft[]): [string] {
  return [JSON.stringify(drafts.map(({ channel, command }) => ({ ...channel, command })))]
}

/** Writes the new desired state of a locked channel. Rejects with CONFLICT for a wanted channel without a track, NOT_FOUND for an unknown genre. */
export async function writeChannel(
  session: Session,
  channel: Channel,
  change: ChannelChange,
  toCommand: ToCommand,
): Promise<Channel> {
  const named = { ...change, ...(change.genreIds && (await setGenres(session, channel.id, change.genreIds))) }
  const draft = await draftChange(channel, named, { toCommand, tracks: () => readTracks(session, channel.id) })
  const written = await session.$queryRawUnsafe<unknown[]>(WRITE_DRAFTS.text, ...draftValues([draft]))
  if (written.length !== 1) throw new Error(`The locked channel ${channel.id} is not as it was read`)
  return draft.channel
}

/** Numbers a locked channel's playlist from 0 without gaps, in its present order. */
export async function closeGaps(session: Session, channelId: string): Promise<void> {
  await session.$executeRaw`
    UPDATE channel_media cm SET position = dense.position
    FROM (SELECT media_id, (row_number() OVER (ORDER BY position) - 1)::int AS position FROM channel_media WHERE channel_id = ${channelId}) dense
    WHERE cm.channel_id = ${channelId} AND cm.media_id = dense.media_id AND cm.position <> dense.position`
}

/** Adds a row to the outbox; the relay hears of it when the transaction commits. A null payload removes the key from its topic. */
export async function enqueue(session: Session, topic: Topic, key: string, payload: object | null): Promise<void> {
  const json = payload === null ? null : JSON.stringify(payload)
  await session.$executeRaw`
    WITH added AS (INSERT INTO outbox (topic, key, payload) VALUES (${topic}, ${key}, ${json}::json) RETURNING id)
    SELECT pg_notify(${OUTBOX_CHANNEL}, '') FROM added`
}

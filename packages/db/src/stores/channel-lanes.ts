import type { Database } from '../database.ts'
import { inBatches } from '../in-batches.ts'
import { CHANNEL_COLUMNS, draftValues, toChannel, WRITE_DRAFTS, type ChannelRow, type Draft } from './channel-writes.ts'
import type { Books, Channel, PlacedCount, PlaylistTrack } from './records.ts'

/** What each command needs of the database: calls that come close together share one statement. All may reject with DATABASE_UNAVAILABLE. */
export interface ChannelLanes {
  /** By id or slug; no slug looks like an id. */
  find(idOrSlug: string): Promise<Channel | null>
  /** The playlist in order, as engines need it. */
  tracks(channelId: string): Promise<PlaylistTrack[]>
  /** False, and nothing is written, when the channel is not as the draft took it to be, or somebody else is just changing it. */
  write(draft: Draft): Promise<boolean>
  readBooks(nothing: undefined): Promise<Books>
}

const FIND = {
  name: 'find-channels',
  text: `SELECT ${CHANNEL_COLUMNS} FROM channels c WHERE (id = ANY($1) OR slug = ANY($1)) AND deleted_at IS NULL`,
}

const TRACKS = {
  name: 'read-tracks',
  text: `
    SELECT cm.channel_id AS "channelId", m.id AS media_id, m.sha256, m.size_bytes::float8 AS size_bytes, m.duration_ms, m.title, m.artist,
      m.loudness_lufs, m.peak_dbfs, m.cue_in_ms, m.cue_out_ms
    FROM channel_media cm JOIN media m ON m.id = cm.media_id
    WHERE cm.channel_id = ANY($1) AND m.state = 'ready' AND m.deleted_at IS NULL ORDER BY cm.channel_id, cm.position`,
}

/** A row without a mode is a server that is to be empty. */
const READ_BOOKS = {
  name: 'read-books',
  text: `
    SELECT server_id AS "serverId", mode::text AS mode, format::text AS format, count(*)::int AS channels FROM (
      SELECT server_id, mode, format FROM channels WHERE wanted = 'on' AND server_id IS NOT NULL
      UNION ALL SELECT standby_server_id, mode, format FROM channels WHERE wanted = 'on' AND standby_server_id IS NOT NULL
    ) placed GROUP BY server_id, mode, format
    UNION ALL SELECT id, NULL, NULL, 0 FROM servers`,
}

export function channelLanes(database: Database): ChannelLanes {
  const find = inBatches<string, Channel | null>(async (names) => {
    const channels = (await database.query<ChannelRow>(FIND, [names])).map(toChannel)
    const byName = new Map(channels.flatMap((channel) => [[channel.id, channel] as const, [channel.slug, channel] as const]))
    return names.map((name) => byName.get(name) ?? null)
  })

  const tracks = inBatches<string, PlaylistTrack[]>(async (ids) => {
    const rows = await database.query<PlaylistTrack & { channelId: string }>(TRACKS, [ids])
    const byChannel = Map.groupBy(rows, ({ channelId }) => channelId)
    return ids.map((id) => (byChannel.get(id) ?? []).map(({ channelId: _channelId, ...track }) => track))
  })

  const write = inBatches<Draft, boolean>(async (drafts) => {
    // Of several drafts of one channel, made from the same picture, the first is to win.
    const firsts = new Map(drafts.toReversed().map((draft) => [draft.channel.id, draft]))
    const rows = await database.query<{ id: string }>(WRITE_DRAFTS, draftValues([...firsts.values()]))
    const written = new Set(rows.map(({ id }) => id))
    return drafts.map((draft) => firsts.get(draft.channel.id) === draft && written.has(draft.channel.id))
  })

  const readBooks = inBatches<undefined, Books>(async (askers) => {
    const rows = await database.query<PlacedCount & { mode: PlacedCount['mode'] | null }>(READ_BOOKS, [])
    const books = {
      placed: rows.filter(({ mode }) => mode !== null),
      drained: rows.filter(({ mode }) => mode === null).map(({ serverId }) => serverId),
    }
    return askers.map(() => books)
  })

  return { find, tracks, write, readBooks }
}

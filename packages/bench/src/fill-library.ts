import type { Database } from '@skipcast/db'

const AT_ONCE = 5000
const OWNERS = 1000
const PLAYLIST = 10_000

/** Who has a tenth of a percent of the channels, and all the media. */
const OWNER = 'owner-5'

/**
 * Channels (a tenth of them private, 15 genres) and media, by the database itself; the API would take hours. The same once more as tables by themselves, with the
 * indexes that a framework would give them. Resolves with a token of `OWNER`, and a channel of theirs with a long playlist.
 */
export async function fillLibrary(
  database: Database,
  { channels, media }: { channels: number; media: number },
): Promise<{ readonly token: string; readonly playlist: string }> {
  const run = <Row extends object>(text: string, ...values: unknown[]) => database.query<Row>({ name: '', text }, values)
  await run(
    `INSERT INTO users (id, username, role) SELECT 'owner-' || n, 'owner-' || n, 'dj' FROM generate_series(1, ${OWNERS}) n`,
  )
  const indexes: string[] = []
  for (const name of ['channel_cards_grams_idx', 'media_cards_grams_idx']) {
    const [index] = await run<{ definition: string }>(`SELECT pg_get_indexdef('${name}'::regclass) AS definition`)
    indexes.push(index!.definition, `ALTER INDEX ${name} ALTER COLUMN 1 SET STATISTICS 0`)
    await run(`DROP INDEX ${name}`)
  }
  await inParts(channels, (first, last) => run(INSERT_CHANNELS, first, last))
  await inParts(media, (first, last) => run(INSERT_MEDIA, first, last))
  for (const index of indexes) await run(index)
  const [playlist] = await run<{ id: string }>(`SELECT id FROM channels WHERE owner_id = '${OWNER}' ORDER BY id LIMIT 1`)
  await run(
    `INSERT INTO channel_media (channel_id, media_id, position)
     SELECT $1, id, (row_number() OVER (ORDER BY title) - 1)::int FROM media ORDER BY title LIMIT ${PLAYLIST}`,
    playlist!.id,
  )
  for (const statement of BARE) await run(statement)
  await run('VACUUM ANALYZE')
  const token = `sk_${'b'.repeat(43)}`
  await run(
    `INSERT INTO api_tokens (id, user_id, name, token_hash) VALUES (gen_random_uuid(), '${OWNER}', 'bench', encode(sha256($1::bytea), 'hex'))`,
    token,
  )
  return { token, playlist: playlist!.id }
}

async function inParts(count: number, insert: (first: number, last: number) => Promise<unknown>): Promise<void> {
  for (let first = 1; first <= count; first += AT_ONCE) await insert(first, Math.min(first + AT_ONCE - 1, count))
}

const INSERT_CHANNELS = `
  WITH made AS (
    INSERT INTO channels (id, owner_id, name, slug, description, genre, privacy, mode, bitrate_kbps, updated_at)
    SELECT gen_random_uuid(), 'owner-' || (1 + n % ${OWNERS}), 'Radio ' || md5(n::text), 'radio-' || n, 'Station ' || n || ' of many, with ' || md5((n * 7)::text) || ' and what else is told.',
      g.name, (CASE WHEN n % 10 = 0 THEN 'private' ELSE 'public' END)::privacy, 'copy', 128, now() - (n || ' seconds')::interval
    FROM generate_series($1::int, $2::int) n JOIN genres g ON g.id = 1 + n % 15 RETURNING id, genre
  ) INSERT INTO channel_genres (channel_id, genre_id) SELECT made.id, g.id FROM made JOIN genres g ON g.name = made.genre`

const INSERT_MEDIA = `
  INSERT INTO media (id, owner_id, state, title, artist, album, sha256, size_bytes, duration_ms, original_name, original_sha256, kind)
  SELECT gen_random_uuid(), '${OWNER}', 'ready', 'Song ' || md5(n::text), 'Artist ' || n % 2000, 'Album ' || n % 8000, md5(n::text), 5000000,
    100000 + (n::bigint * 7919) % 400000, 'track-' || n || '.flac', md5(n::text), 'audio'
  FROM generate_series($1::int, $2::int) n`

const BARE = [
  `CREATE TABLE bare_channels AS SELECT *, privacy = 'public' AS public FROM channels`,
  'ALTER TABLE bare_channels ADD PRIMARY KEY (id)',
  'CREATE INDEX ON bare_channels (owner_id)',
  'CREATE INDEX ON bare_channels (created_at)',
  'CREATE INDEX ON bare_channels (slug)',
  `CREATE TABLE bare_media AS SELECT *, visibility = 'public' AS public FROM media`,
  'ALTER TABLE bare_media ADD PRIMARY KEY (id)',
  'CREATE INDEX ON bare_media (owner_id)',
  'CREATE INDEX ON bare_media (created_at)',
]

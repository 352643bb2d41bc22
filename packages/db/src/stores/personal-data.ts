import type { Database, Statement } from '../database.ts'

/** What is kept about a user. Every method may reject with DATABASE_UNAVAILABLE. */
export interface PersonalData {
  /** The sections there are, in the order in which they are told. */
  readonly sections: readonly PersonalSection[]
  /** The rows of a section, a page at a time, as they stand in their table but for secrets. */
  read(userId: string, section: PersonalSection): AsyncIterable<readonly Readonly<Record<string, unknown>>[]>
}

type PersonalSection = keyof typeof SECTIONS

/** So many rows are in memory at a time. */
const PAGE_ROWS = 500

interface Section {
  readonly table: string
  /** Which rows are the user's, `$1`. */
  readonly of: string
  /** What tells one row from another. */
  readonly key?: string
  /** Columns that are secrets, or say nothing but whose it is. */
  readonly without: readonly string[]
}

const OWN_CHANNELS = 'channel_id IN (SELECT id FROM channels WHERE owner_id = $1)'
const OWN_MEDIA = 'media_id IN (SELECT id FROM media WHERE owner_id = $1)'
const OWN_JOBS = `(${OWN_MEDIA} OR ${OWN_CHANNELS})`

/** Every table with rows of a user has its section here, or its reason in `notTold`; a test compares both with the foreign keys of the database. */
const SECTIONS = {
  log_ins: { table: 'logins', of: 'user_id = $1', without: ['user_id', 'password'] },
  second_factors: { table: 'two_factors', of: 'user_id = $1', without: ['user_id', 'secret', 'backup_codes'] },
  sessions: { table: 'sessions', of: 'user_id = $1', without: ['user_id', 'token_hash'] },
  tokens: { table: 'api_tokens', of: 'user_id = $1', without: ['user_id', 'token_hash'] },
  channels: { table: 'channels', of: 'owner_id = $1', without: ['owner_id'] },
  channel_genres: { table: 'channel_genres', of: OWN_CHANNELS, key: `channel_id || ' ' || genre_id`, without: [] },
  playlists: { table: 'channel_media', of: OWN_CHANNELS, key: `channel_id || ' ' || media_id`, without: [] },
  likes: { table: 'channel_likes', of: 'user_id = $1', key: 'channel_id', without: ['user_id'] },
  media_likes: { table: 'media_likes', of: 'user_id = $1', key: 'media_id', without: ['user_id'] },
  reviews: { table: 'channel_reviews', of: 'user_id = $1', without: ['user_id'] },
  media: { table: 'media', of: 'owner_id = $1', without: ['owner_id'] },
  media_jobs: { table: 'media_jobs', of: OWN_JOBS, without: ['message'] },
  media_genres: { table: 'media_genres', of: OWN_MEDIA, key: `media_id || ' ' || genre_id`, without: [] },
  uploads: { table: 'uploads', of: 'owner_id = $1', without: ['owner_id'] },
} as const satisfies Record<string, Section>

/** What hangs on a user's rows and is about others, or about nobody, or told already. */
const NOT_TOLD: Readonly<Record<string, string>> = {
  channel_cards: 'what lists need of `channels`',
  media_cards: 'what lists need of `media`',
  listener_counts: 'how many listen, not who',
  listener_minutes: 'how many listened, not who',
  listener_hours: 'how many listened, not who',
  channel_views: 'how many looked at a channel on a day, by pseudonyms that nobody can lead back',
  track_plays: 'what a channel played: GET /api/channels/{channel}/track-plays',
}

/** All tables that lead to a user. */
export const personalTables = { told: Object.values(SECTIONS).map(({ table }) => table), notTold: NOT_TOLD } as const

export function personalData(database: Database): PersonalData {
  return {
    sections: Object.keys(SECTIONS) as PersonalSection[],
    async *read(userId, name) {
      const section: Section = SECTIONS[name]
      let after = ''
      for (;;) {
        const page = await database.query<{ key: string; row: Record<string, unknown> }>(statementOf(name, section), [
          userId,
          after,
          PAGE_ROWS,
          section.without,
        ])
        yield page.map(({ row }) => row)
        if (page.length < PAGE_ROWS) return
        after = page.at(-1)!.key
      }
    },
  }
}

function statementOf(name: string, { table, of, key = 'id' }: Section): Statement {
  return {
    name: `personal-${name}`,
    text: `SELECT ${key} AS key, to_jsonb(t) - $4::text[] AS row FROM ${table} t WHERE ${of} AND ${key} > $2 ORDER BY ${key} LIMIT $3`,
  }
}

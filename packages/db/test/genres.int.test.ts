import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { silentLogger } from '@skipcast/runtime'
import { migrate } from '../src/migrate.ts'
import { testDatabase } from '../src/testing/test-database.ts'
import { testStores } from './test-stores.ts'

const given = testStores()
const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url))

test('what people had written as a genre becomes a genre, and no text is lost', async () => {
  await using database = await testDatabase({ empty: true })
  const before = await mkdtemp(join(tmpdir(), 'skipcast-migrations-'))
  try {
    for (const name of await readdir(MIGRATIONS))
      if (name < '20251122' && !name.endsWith('.toml')) await cp(join(MIGRATIONS, name), join(before, name), { recursive: true })
    await migrate(database.url, { logger: silentLogger(), directory: before })
  } finally {
    await rm(before, { recursive: true })
  }
  await database.query("INSERT INTO users (id, username, role) VALUES ('u', 'u', 'dj')")
  const texts = ['Jazz', 'jazz', 'Dark Ambient', 'dark ambient', 'R & B, and more', '', ' ', '漢字', 'ラジオ', 'Jazz!']
  for (const [index, genre] of texts.entries())
    await database.query(
      `INSERT INTO channels (id, owner_id, name, slug, description, genre, mode, bitrate_kbps) VALUES ($1, 'u', 'n', $1, '', $2, 'copy', 128)`,
      [String(index), genre],
    )
  await migrate(database.url, { logger: silentLogger() })
  const rows = await database.query<{ genre: string; names: string[]; slug: string }>(
    `SELECT c.genre, ARRAY(SELECT g.name FROM channel_genres JOIN genres g ON g.id = genre_id WHERE channel_id = c.id) AS names,
       (SELECT g.slug FROM channel_genres JOIN genres g ON g.id = genre_id WHERE channel_id = c.id) AS slug
     FROM channels c ORDER BY c.id`,
  )
  const [ambient] = rows[2]!.names
  expect(ambient!.toLowerCase()).toBe('dark ambient')
  expect(rows.map(({ names }) => names)).toEqual([
    ['Jazz'],
    ['Jazz'],
    [ambient],
    [ambient],
    ['R & B, and more'],
    [],
    [],
    ['漢字'],
    ['ラジオ'],
    ['Jazz!'],
  ])
  for (const { genre, names } of rows) expect(genre.trim()).toBe(names.join())
  const slugs = rows.flatMap(({ slug }) => slug ?? [])
  expect(slugs.slice(0, 5)).toEqual(['jazz', 'jazz', 'dark-ambient', 'dark-ambient', 'r-b-and-more'])
  for (const slug of slugs) expect(slug).toMatch(/^[a-z0-9][a-z0-9-]{0,99}$/)
  const [{ count } = { count: 0 }] = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM genres')
  expect(count).toBe(15 + 5)
})

test('genres are given to a channel and its command in one change, and one that somebody has can not go', async () => {
  const { channel } = await given.running()
  const { genres, channels } = given.stores
  const [jazz, soul] = [(await genres.find('jazz'))!.id, (await genres.find('soul'))!.id]
  const changed = await channels.change(channel, () => ({ genreIds: [soul, jazz], name: 'other' }))
  expect(changed).toMatchObject({ genreIds: [jazz, soul], genre: 'Jazz, Soul', name: 'other', generation: 2 })
  expect(await channels.find(channel.id)).toEqual(changed)
  expect((await given.outbox()).map(({ payload }) => payload!.generation)).toEqual([1, 2])
  await expect(channels.change(changed, () => ({ genreIds: [999_999], name: 'third' }))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: { genre_ids: [999_999] },
  })
  expect(await channels.find(channel.id)).toEqual(changed)
  await expect(genres.remove(jazz)).rejects.toMatchObject({ code: 'CONFLICT' })
  await channels.change(changed, () => ({ genreIds: [] }))
  const spare = await genres.create({ name: 'Spare', slug: 'spare' })
  await genres.remove(spare.id)
  await expect(genres.remove(spare.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

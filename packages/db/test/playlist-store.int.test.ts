import { expect, test } from '@jest/globals'
import { newId } from '../src/new-id.ts'
import { testStores } from './test-stores.ts'

const given = testStores()
const { channel, media, running, outbox } = given

test('attached media stand in the order given, each once, without gaps after some were taken off', async () => {
  const { id } = await channel()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push((await media()).id)
  const [a, b, c, d, e] = ids as [string, string, string, string, string]
  await given.stores.playlists.attach(id, [c, a, c], { ownerId: null })
  await given.stores.playlists.attach(id, [b, a, d, e], { ownerId: null })
  const list = async () => (await given.stores.playlists.list(id, { page: 1, perPage: 10 })).items.map((item) => item.id)
  expect(await list()).toEqual([c, a, b, d, e])
  await given.stores.playlists.detach(id, [a, d, newId()])
  expect(await list()).toEqual([c, b, e])
  const positions = await given.server.query<{ position: number }>('SELECT position FROM channel_media ORDER BY position')
  expect(positions.map((row) => row.position)).toEqual([0, 1, 2])
})

test('what is attached comes last, also where pieces before it have gone for good', async () => {
  const { id } = await channel()
  const [a, b, c, d] = [await media(), await media(), await media(), await media()]
  await given.stores.playlists.attach(id, [a.id, b.id, c.id], { ownerId: null })
  for (const gone of [a, b]) await given.stores.mediaTrash.put(gone.id)
  expect(await given.stores.mediaTrash.purge(new Date(Date.now() + 1000))).toBe(2)
  await given.stores.playlists.attach(id, [d.id], { ownerId: null })
  const { items } = await given.stores.playlists.list(id, { page: 1, perPage: 10 })
  expect(items.map((item) => item.id)).toEqual([c.id, d.id])
})

test('a new order is that of the pieces that are shown; one in the trash comes back after them', async () => {
  const { id } = await channel()
  const [a, b, c] = [await media(), await media(), await media()]
  await given.stores.playlists.attach(id, [a.id, b.id, c.id], { ownerId: null })
  await given.stores.mediaTrash.put(a.id)
  await given.stores.playlists.reorder(id, [c.id, b.id])
  await given.stores.mediaTrash.restore([a.id], null)
  const { items } = await given.stores.playlists.list(id, { page: 1, perPage: 10 })
  expect(items.map((item) => item.id)).toEqual([c.id, b.id, a.id])
})

test('a playlist grown by many at once holds each piece once, densely', async () => {
  const { id } = await channel()
  const ids = await Promise.all(Array.from({ length: 8 }, async () => (await media()).id))
  await Promise.all(ids.map((mediaId) => given.stores.playlists.attach(id, [mediaId, ids[0]!], { ownerId: null })))
  const rows = await given.server.query<{ position: number }>('SELECT position FROM channel_media ORDER BY position')
  expect(rows.map((row) => row.position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('A7: nobody attaches what belongs to another, and the answer names it', async () => {
  const { id } = await channel()
  const stranger = await given.stores.accounts.createUser({ username: newId(), role: 'dj' })
  const mine = await media()
  const foreign = await media({ ownerId: stranger.id })
  await expect(given.stores.playlists.attach(id, [mine.id, foreign.id], { ownerId: given.owner.id })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: { media_ids: [foreign.id] },
  })
  expect((await given.stores.playlists.list(id, { page: 1, perPage: 10 })).total).toBe(0)
})

test('a running channel gets its new playlist as a command, and can not lose its last piece', async () => {
  const { channel: started, mediaIds } = await running(2)
  await given.stores.playlists.detach(started.id, [mediaIds[0]!])
  expect((await outbox()).at(-1)!.payload!.tracks.map((item) => item.media_id)).toEqual([mediaIds[1]])
  await expect(given.stores.playlists.detach(started.id, [mediaIds[1]!])).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(given.stores.mediaTrash.put(mediaIds[1]!)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await given.stores.playlists.list(started.id, { page: 1, perPage: 10 })).total).toBe(1)
})

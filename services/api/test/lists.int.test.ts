import { expect, test } from '@jest/globals'
import { stamp } from '@skipcast/contracts'
import { musicRecord } from './test-api.ts'
import { testChannels } from './test-channels.ts'

const given = testChannels()

async function playlist(length: number): Promise<{ id: string; media: string[] }> {
  const { id } = await given.channel()
  const media: string[] = []
  for (let index = 0; index < length; index++)
    media.push((await given.api.stores.media.add({ ...musicRecord(given.userId), title: `tune ${index}` })).id)
  await given.api.call('POST', `/api/channels/${id}/media`, { token: given.token, body: { media_ids: media } })
  return { id, media }
}

const order = (id: string, mediaIds: string[]) =>
  given.api.call('PUT', `/api/channels/${id}/media/order`, { token: given.token, body: { media_ids: mediaIds } })
const played = async (id: string) =>
  (await given.api.call('GET', `/api/channels/${id}/media`, { token: given.token })).body.data.map(
    (media: { id: string }) => media.id,
  )
const commands = () => given.api.query<{ payload: { tracks: { media_id: string }[] } }>('SELECT payload FROM outbox ORDER BY id')

test('a playlist is put into another order, and a running stream gets it as one command', async () => {
  const { id, media } = await playlist(4)
  await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  const before = (await commands()).length
  const wanted = [media[2]!, media[0]!, media[3]!, media[1]!]
  expect((await order(id, wanted)).status).toBe(200)
  expect(await played(id)).toEqual(wanted)
  expect(await given.api.query('SELECT position FROM channel_media WHERE channel_id = $1 ORDER BY position', [id])).toEqual(
    [0, 1, 2, 3].map((position) => ({ position })),
  )
  const told = await commands()
  expect(told.length).toBe(before + 1)
  expect(told.at(-1)!.payload.tracks.map(({ media_id }) => media_id)).toEqual(wanted)
  expect((await order(id, wanted)).status).toBe(200)
  expect((await commands()).length).toBe(before + 1) // nothing new was wanted
})

test('an order that is not of the playlist as it is now changes nothing, and says what differs', async () => {
  const { id, media } = await playlist(3)
  const stranger = (await playlist(1)).media[0]!
  const answer = await order(id, [media[1]!, stranger])
  expect([answer.status, answer.body.error]).toEqual([409, 'CONFLICT'])
  expect(answer.body.details).toEqual({ missing: [media[0], media[2]], unknown: [stranger] })
  expect((await order(id, [media[0]!, media[0]!, media[1]!, media[2]!])).status).toBe(400)
  expect(await played(id)).toEqual(media)
})

test('the longest playlist can be put into order', async () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`)
  expect((await order((await playlist(1)).id, ids)).status).toBe(409)
})

test('channels are searched as text, filtered by genre, and sorted by what is allowed alone', async () => {
  const make = (name: string, fields: object) =>
    given.api.call('POST', '/api/channels', { token: given.token, body: { name, ...fields } })
  await make('Search 100% Soul', { genre: 'Soul', slug: 'search-c' })
  await make('Search 1000 Souls', { genre: 'Soul', slug: 'search-a' })
  await make('search_me', { genre: 'Jazz', description: 'soul\\mate', slug: 'search-b' })
  const find = async (query: string) =>
    (await given.api.call('GET', `/api/channels?${query}`)).body.data?.map(({ slug }: { slug: string }) => slug)
  expect(await find('search=100%25')).toEqual(['search-c'])
  expect(await find('search=SEARCH_')).toEqual(['search-b'])
  expect(await find('search=%5C')).toEqual(['search-b'])
  expect(await find('search=search&genre=Soul&sort=slug&order=asc')).toEqual(['search-a', 'search-c'])
  expect(await find('search=search&sort=name&order=desc&per_page=2')).toHaveLength(2)
  for (const query of ['sort=ownerId', 'sort=owner_id', 'order=up', 'search=', 'search=%00'])
    expect((await given.api.call('GET', `/api/channels?${query}`)).status).toBe(400)
})

test('media are searched among one’s own alone', async () => {
  const other = await given.api.user('dj')
  await given.api.stores.media.add({ ...musicRecord(given.userId), title: 'Night Train', durationMs: 5 })
  await given.api.stores.media.add({ ...musicRecord(given.userId), album: 'night', durationMs: 4 })
  await given.api.stores.media.add({ ...musicRecord(other.user.id), title: 'Night Owl' })
  const { body } = await given.api.call('GET', '/api/media?search=night&sort=duration_ms&order=asc', { token: given.token })
  expect(body).toMatchObject({ total: 2, data: [{ album: 'night' }, { title: 'Night Train' }] })
})

test('an admin sees the servers, as they told of themselves', async () => {
  const { token: admin } = await given.api.user('admin')
  const heartbeat = {
    ...stamp({ application: 'skipcast', environment: 'test' }, 1_700_000_000_000, 'x'),
    event: 'server_heartbeat' as const,
    server_id: 'studio',
    started_at: 1_700_000_000_000,
    labels: { zone: 'a' },
    capacity: 100,
    load: 3,
    engines: 1,
    channels: 3,
    versions: { liquidsoap: '2.1.3' },
  }
  given.api.members.push({ heartbeat, sight: { kind: 'silent', since: 5 }, heardAt: 1_700_000_000_000 })
  const { status, body } = await given.api.call('GET', '/api/servers', { token: admin })
  expect(status).toBe(200)
  expect(body.total).toBe(1)
  expect(body.data).toEqual([
    {
      id: 'studio',
      state: 'lost',
      sight: 'silent',
      cut_off_ms: null,
      last_heard_at: '2023-11-14T22:13:20.000Z',
      started_at: '2023-11-14T22:13:20.000Z',
      labels: { zone: 'a' },
      capacity: 100,
      placed: { channels: 0, cost: 0 },
      drain: null,
      load: 3,
      engines: 1,
      channels: 3,
      versions: { liquidsoap: '2.1.3' },
    },
  ])
})

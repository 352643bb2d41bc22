import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { stamp, type StreamCommand } from '@skipcast/contracts'
import { AppError, silentLogger, waitFor } from '@skipcast/runtime'
import { Client } from 'pg'
import { openDatabase, type Database } from '../src/database.ts'
import { newId } from '../src/new-id.ts'
import type { Channel, Media, ToCommand, User } from '../src/stores/records.ts'
import { openStores, type Stores } from '../src/stores/stores.ts'
import { PATIENT, testDatabase, type TestDatabase } from '../src/testing/test-database.ts'

let server: TestDatabase
let database: Database
let stores: Stores
let owner: User

/** Messages as short as can be: what the API puts into them is tested there. */
const toCommand: ToCommand = (channel, tracks, at) =>
  ({
    ...stamp({ application: 'a', environment: 'e' }, at.getTime(), `${channel.id}:${channel.generation}`),
    event: channel.wanted === 'on' ? 'start_stream' : 'stop_stream',
    generation: channel.generation,
    epoch: channel.epoch,
    server_id: channel.serverId,
    tracks,
  }) as object as StreamCommand

beforeAll(async () => {
  server = await testDatabase()
  database = openDatabase(server.url, { logger: silentLogger(), patience: PATIENT })
  stores = openStores(database, { toCommand })
}, 60_000)

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await server.query('TRUNCATE users, channels, media, outbox CASCADE')
  owner = await stores.accounts.createUser({ username: newId(), role: 'dj' })
})

function channel(fields: Partial<Channel> = {}): Promise<Channel> {
  const { id: ownerId } = owner
  return stores.channels.create({
    ownerId,
    name: 'n',
    slug: newId().slice(-12),
    description: '',
    genre: '',
    mode: 'copy',
    bitrateKbps: 128,
    ...fields,
  })
}

function media(fields: Partial<Media> = {}): Promise<Media> {
  const record = {
    ownerId: owner.id,
    title: 't',
    artist: '',
    album: '',
    sha256: 'a'.repeat(64),
    sizeBytes: 1,
    durationMs: 1,
    originalName: 'x',
    originalSha256: 'b',
  }
  return stores.media.add({ ...record, ...fields }, async () => {})
}

async function running(tracks = 1): Promise<{ channel: Channel; mediaIds: string[] }> {
  const made = await channel()
  const mediaIds: string[] = []
  for (let i = 0; i < tracks; i++) mediaIds.push((await media()).id)
  await stores.playlists.attach(made.id, mediaIds, { ownerId: null })
  return { channel: await stores.channels.change(made.id, () => ({ wanted: 'on', serverId: 'one' })), mediaIds }
}

type Row = { topic: string; key: string; payload: { event: string; generation: number; tracks: { media_id: string }[] } | null }
const outbox = () => server.query<Row>('SELECT topic, key, payload FROM outbox ORDER BY id')

test('a change of a wanted channel is one generation and one command, in the same transaction', async () => {
  const { channel: started } = await running()
  expect(started).toMatchObject({ wanted: 'on', generation: 1, epoch: 1, serverId: 'one' })
  const renamed = await stores.channels.change(started.id, () => ({ name: 'other' }))
  expect(renamed).toMatchObject({ name: 'other', generation: 2, epoch: 1 })
  const rows = await outbox()
  expect(rows.map(({ key, payload }) => [key, payload!.event, payload!.generation])).toEqual([
    [started.id, 'start_stream', 1],
    [started.id, 'start_stream', 2],
  ])
})

test('what is changed of an off channel concerns nobody: no generation, no command', async () => {
  const made = await channel()
  const renamed = await stores.channels.change(made.id, () => ({ name: 'other' }))
  expect(renamed).toMatchObject({ name: 'other', generation: 0, commandedAt: null })
  expect(await outbox()).toEqual([])
})

test('a change that fails leaves neither state nor command', async () => {
  const { channel: started } = await running()
  const refusing = openStores(database, {
    toCommand: () => {
      throw new AppError('MESSAGE_INVALID', 'no')
    },
  })
  await expect(refusing.channels.change(started.id, () => ({ name: 'other' }))).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  expect(await stores.channels.find(started.id)).toEqual(started)
  expect(await outbox()).toHaveLength(1)
})

test('many changes at once are made one after another: no generation is lost, and commands stand in order', async () => {
  const { channel: started } = await running()
  await Promise.all(Array.from({ length: 20 }, (_, i) => stores.channels.change(started.id, () => ({ name: `n${i}` }))))
  expect((await stores.channels.find(started.id))!.generation).toBe(21)
  expect((await outbox()).map(({ payload }) => payload!.generation)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
})

test('a channel that somebody holds up holds up no other, and is changed as it is then', async () => {
  const { channel: held } = await running()
  const { channel: free } = await running()
  const locked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const holding = database.transaction(async (session) => {
    await session.$executeRaw`UPDATE channels SET genre = 'jazz', revision = revision + 1 WHERE id = ${held.id}`
    locked.resolve()
    await release.promise
  })
  await locked.promise
  const waits = stores.channels.change(held, () => ({ name: 'other' }))
  expect(await stores.channels.change(free, () => ({ name: 'other' }))).toMatchObject({ name: 'other', generation: 2 })
  release.resolve()
  await holding
  expect(await waits).toMatchObject({ name: 'other', genre: 'jazz', generation: 2 })
  expect(await stores.channels.find(held.id)).toEqual(await waits)
})

test('what was decided on an old picture is decided again', async () => {
  const { channel: seen, mediaIds } = await running(2)
  await stores.playlists.detach(seen.id, [mediaIds[0]!])
  const asked: number[] = []
  const changed = await stores.channels.change(seen, ({ generation }) => {
    asked.push(generation)
    return { name: 'other' }
  })
  expect(asked).toEqual([1, 2])
  expect(changed).toMatchObject({ name: 'other', generation: 3 })
  expect((await outbox()).at(-1)!.payload!.tracks.map(({ media_id }) => media_id)).toEqual([mediaIds[1]])
})

test('changes of many channels at once are each written with their own command', async () => {
  const made = await Promise.all(Array.from({ length: 50 }, () => running()))
  const changed = await Promise.all(
    made.map(({ channel: { id } }, index) => stores.channels.change(id, () => ({ name: `n${index}`, serverId: 'two' }))),
  )
  for (const [index, now] of changed.entries()) {
    expect(now).toMatchObject({ name: `n${index}`, serverId: 'two', generation: 2, epoch: 2 })
    expect(await stores.channels.find(now.id)).toEqual(now)
  }
  expect((await outbox()).filter(({ payload }) => payload!.generation === 2).map(({ key }) => key)).toHaveLength(50)
})

test('starts at the same moment give one placement and one epoch', async () => {
  const { channel: started } = await running()
  await stores.channels.change(started.id, () => ({ wanted: 'off' }))
  const servers = ['one', 'two', 'three', 'four']
  const placed = await Promise.all(
    servers.map((serverId) =>
      stores.channels.change(started.id, (now) => (now.wanted === 'on' ? null : { wanted: 'on', serverId })),
    ),
  )
  expect(new Set(placed.map(({ epoch, serverId, generation }) => `${epoch} ${serverId} ${generation}`)).size).toBe(1)
})

test('the epoch grows with the server, and only with it', async () => {
  const { channel: started } = await running()
  const change = (to: string | null) => stores.channels.change(started.id, () => ({ serverId: to }))
  expect((await change('one')).epoch).toBe(1)
  expect((await change('two')).epoch).toBe(2)
  expect((await change(null)).epoch).toBe(3)
  expect((await change('one')).epoch).toBe(4)
})

test('a channel without a track can not be on', async () => {
  const made = await channel()
  await expect(stores.channels.change(made.id, () => ({ wanted: 'on' }))).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/playlist is empty.*upload/i),
  })
})

test('a deleted channel is stopped first, then its key goes from the topic', async () => {
  const { channel: started } = await running()
  await stores.channels.remove(started.id)
  expect((await outbox()).map(({ payload }) => payload?.event ?? null)).toEqual(['start_stream', 'stop_stream', null])
  expect(await stores.channels.find(started.id)).toBeNull()
  await expect(stores.channels.remove(started.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a channel is found by id and by slug', async () => {
  const made = await channel({ slug: 'radio' })
  expect(await stores.channels.find(made.id)).toEqual(made)
  expect(await stores.channels.find('radio')).toEqual(made)
  await expect(channel({ slug: 'radio' })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/radio/) })
})

test('attached media stand in the order given, each once, without gaps after some were taken off', async () => {
  const { id } = await channel()
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push((await media()).id)
  const [a, b, c, d, e] = ids as [string, string, string, string, string]
  await stores.playlists.attach(id, [c, a, c], { ownerId: null })
  await stores.playlists.attach(id, [b, a, d, e], { ownerId: null })
  const list = async () => (await stores.playlists.list(id, { page: 1, perPage: 10 })).items.map((item) => item.id)
  expect(await list()).toEqual([c, a, b, d, e])
  await stores.playlists.detach(id, [a, d, newId()])
  expect(await list()).toEqual([c, b, e])
  const positions = await server.query<{ position: number }>('SELECT position FROM channel_media ORDER BY position')
  expect(positions.map((row) => row.position)).toEqual([0, 1, 2])
})

test('a playlist grown by many at once holds each piece once, densely', async () => {
  const { id } = await channel()
  const ids = await Promise.all(Array.from({ length: 8 }, async () => (await media()).id))
  await Promise.all(ids.map((mediaId) => stores.playlists.attach(id, [mediaId, ids[0]!], { ownerId: null })))
  const rows = await server.query<{ position: number }>('SELECT position FROM channel_media ORDER BY position')
  expect(rows.map((row) => row.position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('A7: nobody attaches what belongs to another, and the answer names it', async () => {
  const { id } = await channel()
  const stranger = await stores.accounts.createUser({ username: newId(), role: 'dj' })
  const mine = await media()
  const foreign = await media({ ownerId: stranger.id })
  await expect(stores.playlists.attach(id, [mine.id, foreign.id], { ownerId: owner.id })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    details: { media_ids: [foreign.id] },
  })
  expect((await stores.playlists.list(id, { page: 1, perPage: 10 })).total).toBe(0)
})

test('a running channel gets its new playlist as a command, and can not lose its last piece', async () => {
  const { channel: started, mediaIds } = await running(2)
  await stores.playlists.detach(started.id, [mediaIds[0]!])
  expect((await outbox()).at(-1)!.payload!.tracks.map((item) => item.media_id)).toEqual([mediaIds[1]])
  await expect(stores.playlists.detach(started.id, [mediaIds[1]!])).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(stores.media.remove(mediaIds[1]!)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await stores.playlists.list(started.id, { page: 1, perPage: 10 })).total).toBe(1)
})

test('deleting media takes it off every playlist and tells the running channels', async () => {
  const first = await running(2)
  const second = await running(1)
  const shared = first.mediaIds[0]!
  await stores.playlists.attach(second.channel.id, [shared], { ownerId: null })
  await server.query('DELETE FROM outbox')
  await stores.media.remove(shared)
  expect((await outbox()).map(({ key, payload }) => [key, payload!.tracks.map((item) => item.media_id)])).toEqual([
    [first.channel.id, [first.mediaIds[1]]],
    [second.channel.id, [second.mediaIds[0]]],
  ])
})

test('attaching and deleting the same piece at once never leaves a running channel with a stale playlist', async () => {
  for (let round = 0; round < 10; round++) {
    const { channel: started } = await running(1)
    const extra = await media()
    await Promise.allSettled([stores.playlists.attach(started.id, [extra.id], { ownerId: null }), stores.media.remove(extra.id)])
    const told = (await outbox()).filter(({ key }) => key === started.id).at(-1)!
    const kept = await stores.playlists.list(started.id, { page: 1, perPage: 10 })
    expect(told.payload!.tracks.map((item) => item.media_id)).toEqual(kept.items.map((item) => item.id))
  }
})

test.each(['change', 'remove'] as const)('to %s a piece succeeds while a channel that holds it is deleted', async (what) => {
  const { channel: doomed, mediaIds } = await running(1)
  const client = new Client({ connectionString: server.url })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('DELETE FROM channels WHERE id = $1', [doomed.id])
    const done =
      what === 'remove'
        ? stores.media.remove(mediaIds[0]!)
        : stores.media.change(mediaIds[0]!, () => ({ cueInMs: 1, cueOutMs: null }))
    const outcome = done.then(
      ({ id }) => id,
      (error: unknown) => error,
    )
    const isWaiting = () =>
      server.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%channels%'`,
      )
    await waitFor('the lock to be waited for', async () => (await isWaiting()).length > 0, { timeoutMs: 20_000, everyMs: 10 })
    await client.query('COMMIT')
    expect(await outcome).toBe(mediaIds[0])
  } finally {
    await client.end()
  }
})

test('a file is removed only when no media has its content any more', async () => {
  const sha256 = 'c'.repeat(64)
  const [one, two] = [await media({ sha256 }), await media({ sha256 })]
  let removed = 0
  const tidyUp = () => stores.media.removeFileIfUnused(sha256, async () => void removed++)
  await stores.media.remove(one.id)
  await tidyUp()
  expect(removed).toBe(0)
  await stores.media.remove(two.id)
  await tidyUp()
  expect(removed).toBe(1)
})

test('a file that is just being added is not removed', async () => {
  const sha256 = 'd'.repeat(64)
  const order: string[] = []
  const began = Promise.withResolvers<void>()
  const placing = Promise.withResolvers<void>()
  const adding = stores.media.add({ ...(await media()), sha256 }, async () => {
    order.push('placing')
    began.resolve()
    await placing.promise
  })
  await began.promise
  const removing = stores.media.removeFileIfUnused(sha256, async () => void order.push('removed'))
  placing.resolve()
  await Promise.all([adding, removing])
  expect(order).toEqual(['placing'])
})

test('a token works until it expires, is revoked or replaced, and is stored as a hash', async () => {
  const { accounts } = stores
  const { secret: token } = await accounts.createToken(owner.id, 'one')
  expect(token).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(await accounts.findByToken(token)).toEqual(owner)
  const stored = await server.query<{ token_hash: string; last_used_at: Date | null }>(
    'SELECT token_hash, last_used_at FROM api_tokens',
  )
  expect(JSON.stringify(stored)).not.toContain(token.slice(3))
  expect(stored[0]!.last_used_at).not.toBeNull()

  const { secret: newer } = await accounts.createToken(owner.id, 'one', { replace: true })
  expect(await accounts.findByToken(token)).toBeNull()
  expect(await accounts.findByToken(newer)).toEqual(owner)
  const { secret: expired } = await accounts.createToken(owner.id, 'two', { expiresAt: new Date(Date.now() - 1) })
  expect(await accounts.findByToken(expired)).toBeNull()
  expect(await accounts.findByToken('sk_unknown')).toBeNull()
})

test('a token that was just used is revoked at once, and its user’s new role counts at once', async () => {
  const { accounts } = stores
  await accounts.createUser({ username: newId(), role: 'admin' })
  const token = await accounts.createToken(owner.id, 'one')
  expect(await accounts.findByToken(token.secret)).toMatchObject({ role: 'dj' })
  await accounts.changeRole(owner.id, 'listener')
  expect(await accounts.findByToken(token.secret)).toMatchObject({ role: 'listener' })
  await accounts.revokeToken(token.id)
  expect(await accounts.findByToken(token.secret)).toBeNull()
})

test('of listener counts the newest stays, whatever the order in which they come', async () => {
  const { id } = await channel()
  const record = (count: number, at: number) =>
    stores.listenerCounts.record({ channelId: id, count, peak: count, observedAt: new Date(at) })
  await record(5, 2000)
  await record(3, 1000)
  expect(await stores.listenerCounts.find(id)).toMatchObject({ count: 5 })
  await record(7, 3000)
  expect(await stores.listenerCounts.find(id)).toMatchObject({ count: 7 })
  await stores.listenerCounts.record({ channelId: newId(), count: 1, peak: 1, observedAt: new Date() })
})

test('lists come in pages, newest first, with the total', async () => {
  const made: string[] = []
  for (let i = 0; i < 5; i++) made.unshift((await channel()).id)
  const { items, total } = await stores.channels.list({ page: 2, perPage: 2, sort: 'created_at', order: 'desc' })
  expect(items.map((item) => item.id)).toEqual(made.slice(2, 4))
  expect(total).toBe(5)
})

test('placement sees what each server has and who waits', async () => {
  const { channel: placed } = await running()
  const { channel: waiting } = await running()
  await stores.channels.change(waiting.id, () => ({ serverId: null }))
  expect(await stores.channels.countPlaced()).toEqual([{ serverId: 'one', mode: 'copy', channels: 1 }])
  expect((await stores.channels.listUnplaced(10)).map((item) => item.id)).toEqual([waiting.id])
  const wanted = await stores.channels.listWanted('', 10)
  expect(wanted.map((item) => item.channel.id)).toEqual([placed.id, waiting.id])
  expect(wanted[0]!.tracks).toHaveLength(1)
})

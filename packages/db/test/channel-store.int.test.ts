import { expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import { newId } from '../src/new-id.ts'
import { openStores } from '../src/stores/stores.ts'
import { testStores } from './test-stores.ts'

const given = testStores()
const { channel, running, outbox } = given

test('a change of a wanted channel is one generation and one command, in the same transaction', async () => {
  const { channel: started } = await running()
  expect(started).toMatchObject({ wanted: 'on', generation: 1, epoch: 1, serverId: 'one' })
  const renamed = await given.stores.channels.change(started.id, () => ({ name: 'other' }))
  expect(renamed).toMatchObject({ name: 'other', generation: 2, epoch: 1 })
  const rows = await outbox()
  expect(rows.map(({ key, payload }) => [key, payload!.event, payload!.generation])).toEqual([
    [started.id, 'start_stream', 1],
    [started.id, 'start_stream', 2],
  ])
})

test('what is changed of an off channel concerns nobody: no generation, no command', async () => {
  const made = await channel()
  const renamed = await given.stores.channels.change(made.id, () => ({ name: 'other' }))
  expect(renamed).toMatchObject({ name: 'other', generation: 0, commandedAt: null })
  expect(await outbox()).toEqual([])
})

test('a change that fails leaves neither state nor command', async () => {
  const { channel: started } = await running()
  const refusing = openStores(given.database, {
    toCommand: () => {
      throw new AppError('MESSAGE_INVALID', 'no')
    },
  })
  await expect(refusing.channels.change(started.id, () => ({ name: 'other' }))).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  expect(await given.stores.channels.find(started.id)).toEqual(started)
  expect(await outbox()).toHaveLength(1)
})

test('many changes at once are made one after another: no generation is lost, and commands stand in order', async () => {
  const { channel: started } = await running()
  await Promise.all(Array.from({ length: 20 }, (_, i) => given.stores.channels.change(started.id, () => ({ name: `n${i}` }))))
  expect((await given.stores.channels.find(started.id))!.generation).toBe(21)
  expect((await outbox()).map(({ payload }) => payload!.generation)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
})

test('a channel that somebody holds up holds up no other, and is changed as it is then', async () => {
  const { channel: held } = await running()
  const { channel: free } = await running()
  const locked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const holding = given.database.transaction(async (session) => {
    await session.$executeRaw`UPDATE channels SET genre = 'jazz', revision = revision + 1 WHERE id = ${held.id}`
    locked.resolve()
    await release.promise
  })
  await locked.promise
  const waits = given.stores.channels.change(held, () => ({ name: 'other' }))
  expect(await given.stores.channels.change(free, () => ({ name: 'other' }))).toMatchObject({ name: 'other', generation: 2 })
  release.resolve()
  await holding
  expect(await waits).toMatchObject({ name: 'other', genre: 'jazz', generation: 2 })
  expect(await given.stores.channels.find(held.id)).toEqual(await waits)
})

test('what was decided on an old picture is decided again', async () => {
  const { channel: seen, mediaIds } = await running(2)
  await given.stores.playlists.detach(seen.id, [mediaIds[0]!])
  const asked: number[] = []
  const changed = await given.stores.channels.change(seen, ({ generation }) => {
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
    made.map(({ channel: { id } }, index) => given.stores.channels.change(id, () => ({ name: `n${index}`, serverId: 'two' }))),
  )
  for (const [index, now] of changed.entries()) {
    expect(now).toMatchObject({ name: `n${index}`, serverId: 'two', generation: 2, epoch: 2 })
    expect(await given.stores.channels.find(now.id)).toEqual(now)
  }
  expect((await outbox()).filter(({ payload }) => payload!.generation === 2).map(({ key }) => key)).toHaveLength(50)
})

test('starts at the same moment give one placement and one epoch', async () => {
  const { channel: started } = await running()
  await given.stores.channels.change(started.id, () => ({ wanted: 'off' }))
  const servers = ['one', 'two', 'three', 'four']
  const placed = await Promise.all(
    servers.map((serverId) =>
      given.stores.channels.change(started.id, (now) => (now.wanted === 'on' ? null : { wanted: 'on', serverId })),
    ),
  )
  expect(new Set(placed.map(({ epoch, serverId, generation }) => `${epoch} ${serverId} ${generation}`)).size).toBe(1)
})

test('the epoch grows with the server, and only with it', async () => {
  const { channel: started } = await running()
  const change = (to: string | null) => given.stores.channels.change(started.id, () => ({ serverId: to }))
  expect((await change('one')).epoch).toBe(1)
  expect((await change('two')).epoch).toBe(2)
  expect((await change(null)).epoch).toBe(3)
  expect((await change('one')).epoch).toBe(4)
})

test('a channel without a track can not be on', async () => {
  const made = await channel()
  await expect(given.stores.channels.change(made.id, () => ({ wanted: 'on' }))).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/playlist is empty.*upload/i),
  })
})

test('a deleted channel is stopped first, then its key goes from the topic', async () => {
  const { channel: started } = await running()
  await given.stores.channels.remove(started.id)
  expect((await outbox()).map(({ payload }) => payload?.event ?? null)).toEqual(['start_stream', 'stop_stream', null])
  expect(await given.stores.channels.find(started.id)).toBeNull()
  await expect(given.stores.channels.remove(started.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a channel is found by id and by slug', async () => {
  const made = await channel({ slug: 'radio' })
  expect(await given.stores.channels.find(made.id)).toEqual(made)
  expect(await given.stores.channels.find('radio')).toEqual(made)
  await expect(channel({ slug: 'radio' })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/radio/) })
})

test('of listener counts the newest stays, whatever the order in which they come', async () => {
  const { id } = await channel()
  const record = (count: number, at: number) =>
    given.stores.listenerCounts.record({ channelId: id, count, peak: count, observedAt: new Date(at) })
  await record(5, 2000)
  await record(3, 1000)
  expect(await given.stores.listenerCounts.find(id)).toMatchObject({ count: 5 })
  await record(7, 3000)
  expect(await given.stores.listenerCounts.find(id)).toMatchObject({ count: 7 })
  await given.stores.listenerCounts.record({ channelId: newId(), count: 1, peak: 1, observedAt: new Date() })
})

test('lists come in pages, newest first, with the total', async () => {
  const made: string[] = []
  for (let i = 0; i < 5; i++) made.unshift((await channel()).id)
  const { items, total } = await given.stores.channels.list({
    sight: 'public',
    page: 2,
    perPage: 2,
    sort: 'created_at',
    order: 'desc',
  })
  expect(items.map((item) => item.id)).toEqual(made.slice(2, 4))
  expect(total).toBe(5)
})

test('placement sees what each server has and who waits', async () => {
  const { channel: placed } = await running()
  const { channel: waiting } = await running()
  await given.stores.channels.change(waiting.id, () => ({ serverId: null }))
  await given.stores.servers.drain('two', 'somebody')
  expect(await given.stores.channels.readBooks()).toEqual({
    placed: [{ serverId: 'one', mode: 'copy', format: 'mp3', channels: 1 }],
    drained: ['two'],
  })
  const settled = [{ id: 'one', labels: {} }]
  expect((await given.stores.channels.listMisplaced(settled, 10)).map((item) => item.id)).toEqual([waiting.id])
  const wanted = await given.stores.channels.listWanted('', 10)
  expect(wanted.map((item) => item.channel.id)).toEqual([placed.id, waiting.id])
  expect(wanted[0]!.tracks).toHaveLength(1)
})

test('a server that several ask to be emptied at once is emptied once, and put back once', async () => {
  const { servers } = given.stores
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 8 }, (_, i) => servers.drain('crowded', `somebody ${i}`)))
    expect((await servers.listDrains()).filter(({ serverId }) => serverId === 'crowded')).toHaveLength(1)
    await Promise.all(Array.from({ length: 8 }, () => servers.undrain('crowded')))
    expect((await servers.listDrains()).filter(({ serverId }) => serverId === 'crowded')).toEqual([])
  }
})

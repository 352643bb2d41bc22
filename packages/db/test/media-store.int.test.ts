import { expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { Client } from 'pg'
import { testStores } from './test-stores.ts'

const given = testStores()
const { media, running, outbox } = given

test('deleting media takes it off every playlist and tells the running channels', async () => {
  const first = await running(2)
  const second = await running(1)
  const shared = first.mediaIds[0]!
  await given.stores.playlists.attach(second.channel.id, [shared], { ownerId: null })
  await given.server.query('DELETE FROM outbox')
  await given.stores.media.remove(shared)
  expect((await outbox()).map(({ key, payload }) => [key, payload!.tracks.map((item) => item.media_id)])).toEqual([
    [first.channel.id, [first.mediaIds[1]]],
    [second.channel.id, [second.mediaIds[0]]],
  ])
})

test('attaching and deleting the same piece at once never leaves a running channel with a stale playlist', async () => {
  for (let round = 0; round < 10; round++) {
    const { channel: started } = await running(1)
    const extra = await media()
    await Promise.allSettled([
      given.stores.playlists.attach(started.id, [extra.id], { ownerId: null }),
      given.stores.media.remove(extra.id),
    ])
    const told = (await outbox()).filter(({ key }) => key === started.id).at(-1)!
    const kept = await given.stores.playlists.list(started.id, { page: 1, perPage: 10 })
    expect(told.payload!.tracks.map((item) => item.media_id)).toEqual(kept.items.map((item) => item.id))
  }
})

test.each(['change', 'remove'] as const)('to %s a piece succeeds while a channel that holds it is deleted', async (what) => {
  const { channel: doomed, mediaIds } = await running(1)
  const client = new Client({ connectionString: given.server.url })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('DELETE FROM channels WHERE id = $1', [doomed.id])
    const done =
      what === 'remove'
        ? given.stores.media.remove(mediaIds[0]!)
        : given.stores.media.change(mediaIds[0]!, () => ({ cueInMs: 1, cueOutMs: null }))
    const outcome = done.then(
      ({ id }) => id,
      (error: unknown) => error,
    )
    const isWaiting = () =>
      given.server.query(
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
  const tidyUp = () => given.stores.media.removeFileIfUnused(sha256, async () => void removed++)
  await given.stores.media.remove(one.id)
  await tidyUp()
  expect(removed).toBe(0)
  await given.stores.media.remove(two.id)
  await tidyUp()
  expect(removed).toBe(1)
})

test('a file that is just being added is not removed', async () => {
  const sha256 = 'd'.repeat(64)
  const order: string[] = []
  const began = Promise.withResolvers<void>()
  const placing = Promise.withResolvers<void>()
  const adding = given.stores.media.add({ ...(await media()), sha256 }, async () => {
    order.push('placing')
    began.resolve()
    await placing.promise
  })
  await began.promise
  const removing = given.stores.media.removeFileIfUnused(sha256, async () => void order.push('removed'))
  placing.resolve()
  await Promise.all([adding, removing])
  expect(order).toEqual(['placing'])
})

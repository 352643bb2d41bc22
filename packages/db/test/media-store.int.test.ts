import { expect, test } from '@jest/globals'
import { stamp, type FileTags, type PieceEvent, type MediaJob } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { Client } from 'pg'
import { newId } from '../src/new-id.ts'
import { testStores } from './test-stores.ts'

const given = testStores()
const { media, running, outbox } = given

test('deleting media takes it off every playlist and tells the running channels', async () => {
  const first = await running(2)
  const second = await running(1)
  const shared = first.mediaIds[0]!
  await given.stores.playlists.attach(second.channel.id, [shared], { ownerId: null })
  await given.server.query('DELETE FROM outbox')
  await given.stores.mediaTrash.put(shared)
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
      given.stores.mediaTrash.put(extra.id),
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
        ? given.stores.mediaTrash.put(mediaIds[0]!)
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

/** An upload of these bytes by the owner, or by somebody else. */
function upload(originalSha256: string, place: () => Promise<void> = async () => {}, ownerId = given.owner.id) {
  const record = { ownerId, title: 't', artist: '', album: '', originalName: 'x', originalSha256, fileSha256: originalSha256 }
  return given.stores.media.addUpload(record, ({ id }) => jobOf(id, originalSha256), place)
}

function jobOf(mediaId: string, original: string): MediaJob {
  const about = stamp({ application: 'skipcast', environment: 'test' }, 0, newId())
  return { ...about, event: 'import_media', media_id: mediaId, original, air: { bitrate_kbps: 128, sample_rate: 44_100 } }
}

const decisions = { tagsOf: (tags: FileTags) => ({ ...NO_TAGS, title: tags.title ?? '' }), retagOf: () => null }
const NO_TAGS = { title: '', artist: '', album: '', genre: '', year: '', track: null }

async function jobIdOf(mediaId: string): Promise<string> {
  return (await given.stores.mediaJobs.list(mediaId, 1))[0]!.id
}

function about(mediaId: string, jobId: string) {
  return { ...stamp({ application: 'skipcast', environment: 'test' }, 0, newId()), media_id: mediaId, job_id: jobId }
}

async function ready(mediaId: string): Promise<PieceEvent> {
  return {
    ...about(mediaId, await jobIdOf(mediaId)),
    event: 'media_ready',
    kind: 'audio',
    tags: { title: 'Told' },
    air: { sha256: 'e'.repeat(64), size_bytes: 16_000, duration_ms: 1000 },
    file: {
      sha256: 'f'.repeat(64),
      size_bytes: 5,
      content_type: 'audio/flac',
      container: 'flac',
      codec: 'flac',
      bitrate_kbps: null,
      channels: 2,
      sample_rate: 44_100,
    },
    sound: { loudness_lufs: -14, peak_dbfs: -1, cue_in_ms: 5, cue_out_ms: null },
    cover: null,
    waveform: 'd'.repeat(64),
  }
}

async function failed(mediaId: string): Promise<PieceEvent> {
  return { ...about(mediaId, await jobIdOf(mediaId)), event: 'media_failed', problem: 'no music' }
}

test('an upload is a piece and a job at once, and the same upload again is the same piece', async () => {
  const first = await upload('c'.repeat(64))
  const again = await upload('c'.repeat(64))
  const stranger = await given.stores.accounts.createUser({ username: newId(), role: 'dj' })
  const theirs = await upload('c'.repeat(64), async () => {}, stranger.id)
  expect([first.isNew, again.isNew, theirs.isNew]).toEqual([true, false, true])
  expect(again.media.id).toBe(first.media.id)
  expect((await outbox()).map(({ topic, key }) => [topic, key])).toEqual([
    ['mediaJobs', first.media.id],
    ['mediaJobs', theirs.media.id],
  ])
  await given.stores.mediaTrash.put(first.media.id)
  expect((await upload('c'.repeat(64))).isNew).toBe(true)
})

test('a piece that becomes ready is played by the running channels that have it, once however often that is told', async () => {
  const { channel: on, mediaIds } = await running(1)
  const { media: piece } = await upload('c'.repeat(64))
  await given.stores.playlists.attach(on.id, [piece.id], { ownerId: null })
  await given.server.query('DELETE FROM outbox')
  const event = await ready(piece.id)
  for (let time = 0; time < 3; time++) await given.stores.mediaJobs.record(event, decisions)
  await given.stores.mediaJobs.record(await failed(piece.id), decisions)
  const told = await outbox()
  expect(told.map(({ payload }) => payload!.tracks.map((item) => item.media_id))).toEqual([[...mediaIds, piece.id]])
  expect(await given.stores.media.find(piece.id)).toMatchObject({ state: 'ready', title: 'Told', cueInMs: 5, durationMs: 1000 })
  expect(await given.stores.mediaJobs.list(piece.id, 9)).toMatchObject([{ state: 'done', percent: 100, problem: null }])
})

test('a piece that can not be imported is failed, is attached nowhere any more, and a job that succeeds after all mends it', async () => {
  const { media: piece } = await upload('c'.repeat(64))
  await given.stores.mediaJobs.record(await failed(piece.id), decisions)
  expect(await given.stores.media.find(piece.id)).toMatchObject({ state: 'failed', problem: 'no music' })
  const { channel: on } = await running(1)
  const attaching = given.stores.playlists.attach(on.id, [piece.id], { ownerId: null })
  await expect(attaching).rejects.toMatchObject({ code: 'CONFLICT', details: { media_ids: [piece.id] } })
  await given.stores.mediaJobs.record(await ready(piece.id), decisions)
  expect(await given.stores.media.find(piece.id)).toMatchObject({ state: 'ready', problem: null })
})

test('what could not be made of a piece takes nothing of what its owner may have', async () => {
  const { id: ownerId } = await given.stores.accounts.createUser({ username: newId(), role: 'dj' })
  const record = { ownerId, title: 't', artist: '', album: '', originalName: 'x', originalSha256: 'c'.repeat(64) }
  const piece = await given.stores.media.add({ ...record, fileSizeBytes: 5000 }, ({ id }) => jobOf(id, 'c'.repeat(64)))
  const used = async () => (await given.stores.uploads.usageOf(ownerId, 0)).usedBytes
  expect(await used()).toBe(5000)
  await given.stores.mediaJobs.record(await failed(piece.id), decisions)
  expect(await used()).toBe(0)
})

test('work that was lost is asked for again, and what is done is not', async () => {
  const lost = await upload('c'.repeat(64))
  const done = await upload('d'.repeat(64))
  await given.stores.mediaJobs.record(await ready(done.media.id), decisions)
  await given.server.query('DELETE FROM outbox')
  expect(await given.stores.mediaJobs.askAgain(new Date(0))).toBe(0)
  expect(await given.stores.mediaJobs.askAgain(new Date(Date.now() + 1000))).toBe(1)
  expect((await outbox()).map(({ topic, key }) => [topic, key])).toEqual([['mediaJobs', lost.media.id]])
})

test('what comes back from the trash is where it was, also on the air', async () => {
  const { channel: on, mediaIds } = await running(3)
  const middle = mediaIds[1]!
  await given.stores.mediaTrash.put(middle)
  expect((await given.stores.playlists.list(on.id, { page: 1, perPage: 10 })).items.map(({ id }) => id)).not.toContain(middle)
  expect(await given.stores.media.find(middle)).toBeNull()
  const stranger = await given.stores.accounts.createUser({ username: newId(), role: 'dj' })
  expect(await given.stores.mediaTrash.restore([middle], stranger.id)).toEqual([])
  const restored = await given.stores.mediaTrash.restore([middle, middle, mediaIds[0]!, 'none'], given.owner.id)
  expect(restored.map(({ id }) => id)).toEqual([middle])
  expect((await outbox()).at(-1)!.payload!.tracks.map((item) => item.media_id)).toEqual(mediaIds)
  await given.stores.mediaTrash.put(middle)
  expect(await given.stores.mediaTrash.purge(new Date(0))).toBe(0)
  expect(await given.stores.mediaTrash.purge(new Date(Date.now() + 1000))).toBe(1)
  expect(await given.stores.mediaTrash.find(middle)).toBeNull()
})

test('a file is removed only when no media has its content any more', async () => {
  const fileSha256 = 'c'.repeat(64)
  const [one, two] = [await media({ fileSha256 }), await media({ fileSha256 })]
  let removed = 0
  const tidyUp = () =>
    given.stores.media.removeFileIfUnused({ kind: 'originals', sha256: fileSha256 }, async () => void removed++)
  const forget = (id: string) => given.server.query('DELETE FROM media WHERE id = $1', [id])
  await forget(one.id)
  await tidyUp()
  expect(removed).toBe(0)
  await forget(two.id)
  await tidyUp()
  expect(removed).toBe(1)
})

test('a file that work begins with is kept until that is done', async () => {
  const sha256 = 'e'.repeat(64)
  const { id } = await media()
  const job = 'INSERT INTO media_jobs (id, media_id, kind, message) VALUES ($1, $2, $3, $4)'
  await given.server.query(job, [newId(), id, 'derive_media', JSON.stringify({ original: sha256, cover: sha256 })])
  const removed: string[] = []
  const tidyUp = async () => {
    for (const kind of ['originals', 'covers', 'air'] as const)
      await given.stores.media.removeFileIfUnused({ kind, sha256 }, async () => void removed.push(kind))
  }
  await tidyUp()
  expect(removed).toEqual(['air'])
  await given.server.query("UPDATE media_jobs SET state = 'done' WHERE media_id = $1", [id])
  await tidyUp()
  expect(removed).toEqual(['air', 'originals', 'covers', 'air'])
})

test('a file that is just being added is not removed', async () => {
  const sha256 = 'd'.repeat(64)
  const order: string[] = []
  const began = Promise.withResolvers<void>()
  const placing = Promise.withResolvers<void>()
  const adding = upload(sha256, async () => {
    order.push('placing')
    began.resolve()
    await placing.promise
  })
  await began.promise
  const removing = given.stores.media.removeFileIfUnused({ kind: 'originals', sha256 }, async () => void order.push('removed'))
  placing.resolve()
  await Promise.all([adding, removing])
  expect(order).toEqual(['placing'])
})

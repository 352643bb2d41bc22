import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { stamp } from '@skipcast/contracts'
import { newId } from '@skipcast/db'
import { mediaEventRecorder } from '../src/record-media-event.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'
import { putPicture } from './test-pictures.ts'

let api: TestApi
let token: string
let userId: string

beforeAll(async () => {
  api = await testApi()
  const dj = await api.user('dj')
  token = dj.token
  userId = dj.user.id
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const call = (method: string, path: string, body?: object, as = token) =>
  api.call(method, path, { token: as, ...(body && { body }) })

test('of tags and covers the last wish counts, in whatever order the work on them ends, and what was taken off never comes back', async () => {
  const { id } = await api.stores.media.add({ ...musicRecord(userId), fileSha256: 'f'.repeat(64) })
  const jobs = async (kind: string) => {
    const sql = 'SELECT id, message FROM media_jobs WHERE media_id = $1 AND kind = $2'
    return api.query<{ id: string; message: { tags: { title: string }; cover: string | null } }>(sql, [id, kind])
  }
  const record = mediaEventRecorder(api.ports)
  const told = (job_id: string) => ({ ...stamp(api.ports.origin, Date.now(), newId()), media_id: id, job_id })
  const kept = { size_bytes: 9, content_type: '', container: '', codec: '', bitrate_kbps: null, channels: 2, sample_rate: 44_100 }
  const retagged = (job_id: string, letter: string) =>
    record({ ...told(job_id), event: 'media_retagged', file: { ...kept, sha256: letter.repeat(64) } })
  const covered = (job_id: string, letter: string) => record({ ...told(job_id), event: 'cover_made', cover: letter.repeat(64) })
  const shown = async () => {
    const { title, fileSha256, coverSha256 } = (await api.stores.media.find(id))!
    return [title, fileSha256?.[0], coverSha256?.[0]]
  }

  await call('PUT', `/api/media/${id}`, { title: 'One' })
  const [one] = await jobs('retag_media')
  await call('PUT', `/api/media/${id}`, { title: 'Two' })
  const [two, ...others] = await jobs('retag_media')
  expect([two!.message.tags.title, others]).toEqual(['Two', []])
  await retagged(two!.id, 'b')
  await retagged(one!.id, 'a')
  expect(await shown()).toEqual(['Two', 'b', undefined])

  await putPicture(api, token, `/api/media/${id}/cover`, new Blob(['1']), 'cover')
  const [first] = await jobs('make_cover')
  await putPicture(api, token, `/api/media/${id}/cover`, new Blob(['2']), 'cover')
  const [second] = await jobs('make_cover')
  await covered(second!.id, 'c')
  await covered(first!.id, 'd')
  expect((await jobs('retag_media')).map(({ message }) => message.cover?.[0])).toEqual(['c'])
  expect(await shown()).toEqual(['Two', 'b', 'c'])
  await putPicture(api, token, `/api/media/${id}/cover`, new Blob(['3']), 'cover')
  const [third] = await jobs('make_cover')
  expect((await call('DELETE', `/api/media/${id}/cover`)).body.has_cover).toBe(false)
  await covered(third!.id, 'e')
  expect((await jobs('retag_media')).map(({ message }) => message.cover)).toEqual([null])
  expect(await shown()).toEqual(['Two', 'b', undefined])
})

test('pictures count into what their owner may have for as long as they are kept, however often one is replaced', async () => {
  const { user, token: owner } = await api.user('dj')
  const { id } = await api.stores.media.add(musicRecord(user.id))
  const { channel } = (await call('POST', '/api/channels', { name: 'Seen' }, owner)).body
  const { used_bytes: used } = (await call('GET', '/api/media/usage', undefined, owner)).body
  await api.stores.uploads.setQuota(user.id, used + 2_500_000)
  const image = new Blob([new Uint8Array(1_000_000)])
  const give = async () => [
    (await putPicture(api, owner, `/api/media/${id}/cover`, image, 'cover')).status,
    (await putPicture(api, owner, `/api/channels/${channel.id}/artwork`, image, 'artwork')).status,
  ]
  expect(await give()).toEqual([202, 202])
  expect(await give()).toEqual([413, 413])
  expect((await call('GET', '/api/media/usage', undefined, owner)).body).toMatchObject({
    used_bytes: used,
    pending_bytes: 2_000_000,
  })
  await api.stores.uploads.forgetExpired(new Date(Date.now() + 24 * 3_600_000))
  expect(await give()).toEqual([413, 413])
  await api.stores.uploads.forgetExpired(new Date(Date.now() + 26 * 3_600_000))
  expect(await give()).toEqual([202, 202])
})

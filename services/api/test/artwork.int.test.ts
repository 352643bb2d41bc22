import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'
import { askArtwork, tellArtwork } from './test-artwork.ts'
import { picture, putPicture } from './test-pictures.ts'

let api: TestApi
let home: TemporaryHome
let token: string

beforeAll(async () => {
  api = await testApi()
  home = await temporaryHome()
  token = (await api.user('dj')).token
  await api.startWorker()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const call = (method: string, path: string, body?: object) => api.call(method, path, { token, ...(body && { body }) })

test('the artwork of a channel is made of a picture, is kept through the trash, and is taken off again', async () => {
  const { channel } = (await call('POST', '/api/channels', { name: 'Seen' })).body
  const path = `/api/channels/${channel.id}/artwork`
  const job = async () => (await call('GET', `/api/channels/${channel.id}/jobs`)).body.data[0]
  const give = async (image: Blob) => {
    expect(await putPicture(api, token, path, image, 'artwork')).toMatchObject({
      status: 202,
      body: { kind: 'artwork', state: 'waiting' },
    })
    return waitFor('the artwork', async () => ['done', 'failed'].includes((await job()).state) && job(), { timeoutMs: 30_000 })
  }
  expect([channel.has_artwork, (await api.call('GET', path)).status]).toEqual([false, 404])
  for (const ending of ['jpg', 'webp', 'png']) expect(await give(await picture(home, ending))).toMatchObject({ state: 'done' })
  const { headers, rawPayload } = await api.app.inject({ method: 'GET', url: `/api/channels/${channel.slug}/artwork` })
  expect(headers).toMatchObject({
    'content-type': 'image/jpeg',
    'x-content-type-options': 'nosniff',
    'cache-control': 'public, max-age=60',
  })
  expect(rawPayload.subarray(0, 3).toString('hex')).toBe('ffd8ff')
  const known = { headers: { 'if-none-match': String(headers['etag']) } }
  expect((await api.call('GET', path, known)).status).toBe(304)

  // What is no picture, or too large, changes nothing.
  expect(await give(new Blob(['<svg onload="alert(1)"/>']))).toMatchObject({
    state: 'failed',
    problem: expect.stringMatching(/no picture/),
  })
  expect((await putPicture(api, token, path, new Blob([new Uint8Array(2 * 1024 ** 2 + 1)]), 'artwork')).body.error).toBe(
    'TOO_LARGE',
  )
  expect((await putPicture(api, token, path, await picture(home, 'png'), 'cover')).status).toBe(400)
  expect((await api.call('GET', path, known)).status).toBe(304)

  await call('DELETE', `/api/channels/${channel.id}`)
  expect((await call('GET', path)).status).toBe(404)
  await call('POST', `/api/channels/${channel.id}/restore`)
  await call('PUT', `/api/channels/${channel.id}`, { privacy: 'private' })
  expect((await api.call('GET', path)).status).toBe(404)
  const private_ = await call('GET', path)
  expect([private_.status, private_.headers['cache-control']]).toEqual([200, 'private, no-cache'])
  expect((await call('DELETE', path)).body).toMatchObject({ id: channel.id, has_artwork: false, privacy: 'private' })
  expect([(await call('GET', path)).status, await job()]).toEqual([404, undefined])
}, 60_000)

test('of pictures that a channel is given one after the other, the last one counts, and one that was taken off never comes back', async () => {
  const { channel } = (await call('POST', '/api/channels', { name: 'Seen' })).body
  const ask = () => askArtwork(api, channel.id)
  const made = (job_id: string, letter: string) =>
    tellArtwork(api, { channel_id: channel.id, job_id, artwork: letter.repeat(64) })
  const shown = async () => (await api.stores.channels.find(channel.id))!.artworkSha256?.[0]
  const [one, two] = [await ask(), await ask()]
  await made(two, 'b')
  await made(one, 'c')
  await made(two, 'd')
  expect(await shown()).toBe('b')
  const three = await ask()
  await api.stores.channelArtwork.remove(channel.id)
  await made(three, 'e')
  expect(await shown()).toBeUndefined()
})

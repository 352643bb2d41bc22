import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { s3Server, type S3Server } from '@skipcast/media-store/testing'
import { hears, openListener, apiClient, startSkipcast, temporaryHome, toneFile, untilReady } from '@skipcast/testing'
import { waitFor } from '@skipcast/runtime'

// At a listener's ear: media in an object store, on the real engine, Icecast and roles.

const BACK_TIMEOUT_MS = 15_000

let owned: AsyncDisposableStack
let store: S3Server
let home: string
beforeAll(async () => {
  owned = new AsyncDisposableStack()
  store = owned.use(await s3Server())
  home = owned.use(await temporaryHome()).path
}, 360_000)
afterAll(() => owned.disposeAsync(), 60_000)

test('a channel plays what is in an object store, ahead of time: also while that is away, with an engine that is new', async () => {
  const tones = [
    await toneFile(join(home, '440.mp3'), { frequencyHz: 440, seconds: 4 }),
    await toneFile(join(home, '660.mp3'), { frequencyHz: 660, seconds: 4 }),
  ]
  const skipcast = owned.use(await startSkipcast(home, store.environment))
  await untilReady(skipcast)
  const api = await apiClient(skipcast.apiUrl, home)
  await api.channel({ name: 'stored', slug: 'stored' }, tones)
  expect((await readdir(join(store.folder, store.config.bucket, 'air'))).length).toBeGreaterThan(0)
  expect((await readdir(join(home, 'media'))).toSorted()).toEqual(['incoming', 'uploads', 'uploads.place', 'work'])
  const [piece] = (await api.call('GET', '/api/media')).body.data
  const { url } = (await api.call('GET', `/api/media/${piece.id}/url`)).body
  const part = await fetch(skipcast.apiUrl + new URL(url).pathname + new URL(url).search, { headers: { range: 'bytes=10-19' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${piece.size_bytes}`])
  expect((await part.arrayBuffer()).byteLength).toBe(10)
  const command = (what: 'start' | 'stop') => api.call('POST', `/api/channels/stored/stream/${what}`)
  await command('start')
  await api.untilPhase('stored', 'on_air', BACK_TIMEOUT_MS)
  await waitFor('both files on the server', async () => (await readdir(join(home, 'agent', 'cache'))).length === 2, {
    timeoutMs: BACK_TIMEOUT_MS,
  })

  await store.pause()
  await command('stop')
  await api.untilPhase('stored', 'off', BACK_TIMEOUT_MS)
  await command('start')
  await api.untilPhase('stored', 'on_air', BACK_TIMEOUT_MS)
  await using listener = await openListener(`http://127.0.0.1:${skipcast.icecastPort}/stored`)
  await hears(listener, 440, { timeoutMs: BACK_TIMEOUT_MS })
  await hears(listener, 660, { timeoutMs: BACK_TIMEOUT_MS })
}, 120_000)

import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { onAirStatus, testApi, type TestApi } from './test-api.ts'

let api: TestApi
let url: string
let token: string

beforeAll(async () => {
  api = await testApi()
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  token = (await api.user('dj')).token
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const make = async (name: string) => (await api.call('POST', '/api/channels', { token, body: { name } })).body.channel

/** A client that keeps all it is told. */
async function follow(path: string, headers: Record<string, string> = {}) {
  const hangUp = new AbortController()
  const response = await fetch(url + path, { signal: hangUp.signal, headers })
  const heard = { status: response.status, type: response.headers.get('content-type'), text: '', isOver: false }
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) heard.text += decoder.decode(chunk as Uint8Array, { stream: true })
  })()
    .catch(() => {})
    .finally(() => (heard.isOver = true))
  return { heard, [Symbol.dispose]: () => hangUp.abort() }
}

function onAir(channelId: string, title: string): void {
  const now_playing = { media_id: 'm', title, artist: 'A', started_at: 1_700_000_000_000 }
  api.statuses.set(channelId, onAirStatus(channelId, { epoch: 0, now_playing }))
  api.statusChanged()
}

test('a client is told all as it is, then what is on air and what plays, in time', async () => {
  const channel = await make('Followed')
  api.servers.set('one', { capacity: 10, sight: { kind: 'heard' } })
  await api.query(`UPDATE channels SET wanted = 'on', server_id = 'one' WHERE id = $1`, [channel.id])
  using client = await follow('/api/events')
  expect([client.heard.status, client.heard.type]).toEqual([200, 'text/event-stream; charset=utf-8'])
  await waitFor('the picture', () => client.heard.text.includes('event: complete'), { timeoutMs: 5000 })
  expect(client.heard.text).toContain('"phase":"starting"')
  for (const title of ['One', 'Two\nevent: forged']) {
    onAir(channel.id, title)
    await waitFor('the title', () => client.heard.text.includes(JSON.stringify(title)), { timeoutMs: 5000, everyMs: 5 })
  }
  expect(client.heard.text).toContain('"phase":"on_air"')
  expect(client.heard.text).not.toMatch(/^event: forged/m)
  await api.call('DELETE', `/api/channels/${channel.id}`, { token })
  await waitFor('the end of the channel', () => client.heard.text.includes('event: gone'), { timeoutMs: 5000 })
})

test('after a break the whole picture comes first', async () => {
  const channel = await make('Again')
  using first = await follow(`/api/channels/${channel.slug}/events`)
  await waitFor('the picture', () => first.heard.text.includes('event: complete'), { timeoutMs: 5000 })
  const id = /id: (\S+)\nevent: complete/.exec(first.heard.text)![1]!
  using second = await follow(`/api/channels/${channel.id}/events`, { 'last-event-id': id })
  await waitFor('the picture', () => second.heard.text.includes('event: complete'), { timeoutMs: 5000 })
  expect(second.heard.text.match(/event: stream/g)).toHaveLength(1)
  expect(second.heard.text).toContain(channel.id)
})

test('one client too many is refused, and place is free again once another has left', async () => {
  const clients = [await follow('/api/events'), await follow('/api/events'), await follow('/api/events')]
  const refused = await fetch(`${url}/api/events`)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2'])
  expect(await refused.json()).toMatchObject({ error: 'TOO_MANY_REQUESTS' })
  clients[0]![Symbol.dispose]()
  await waitFor(
    'a place',
    async () => {
      using client = await follow('/api/events')
      return client.heard.status === 200
    },
    { timeoutMs: 5000 },
  )
  for (const client of clients) client[Symbol.dispose]()
})

test('one address can not take the places of all', async () => {
  await using other = await testApi({ maxEventClients: 3, maxEventClientsPerAddress: 1, trustedProxies: ['127.0.0.0/8'] })
  const address = await other.app.listen({ host: '127.0.0.1', port: 0 })
  const hangUp = new AbortController()
  const come = (from: string) => fetch(`${address}/api/events`, { headers: { 'x-forwarded-for': from }, signal: hangUp.signal })
  expect((await come('10.0.0.1')).status).toBe(200)
  const refused = await come('10.0.0.1')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2'])
  expect(await refused.json()).toMatchObject({ error: 'TOO_MANY_REQUESTS', message: expect.stringContaining('at your address') })
  expect((await come('10.0.0.2')).status).toBe(200)
  hangUp.abort()
}, 20_000)

test('a client that takes nothing is hung up on', async () => {
  const { ownerId } = (await api.stores.channels.find((await make('Slow')).id))!
  // More than the buffers of two sockets hold. Nobody lists them: an index of so long names would take a minute.
  await api.query('ALTER TABLE channels DISABLE TRIGGER make_card')
  await api.query(
    `INSERT INTO channels (id, owner_id, name, slug, description, genre, mode, bitrate_kbps)
     SELECT gen_random_uuid(), $1, repeat('x', 1000), 'many-' || n, '', '', 'copy', 128 FROM generate_series(1, 10000) n`,
    [ownerId],
  )
  await api.query('ALTER TABLE channels ENABLE TRIGGER make_card')
  const accepted = new Promise<Socket>((resolve) => api.app.server.once('connection', resolve))
  const client = connect(Number(new URL(url).port), '127.0.0.1').pause()
  client.on('error', () => {})
  client.write('GET /api/events HTTP/1.1\r\nhost: x\r\n\r\n')
  const connection = await accepted
  await waitFor('the connection to end', () => connection.destroyed, { timeoutMs: 30_000 })
  expect(connection.bytesWritten).toBeGreaterThan(10_000)
  client.destroy()
  await api.query(`DELETE FROM channels WHERE slug LIKE 'many-%'`)
}, 60_000)

test('no client keeps the service from ending', async () => {
  await using other = await testApi()
  const address = await other.app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(`${address}/api/events`)
  const reading = response.text().catch(() => '')
  await other.app.close()
  expect(await reading).toContain('retry:')
}, 20_000)

import { expect, test } from '@jest/globals'
import { testChannels } from './test-channels.ts'

const given = testChannels()
const { channel, withMusic, told } = given

test('starting an empty playlist says what to do', async () => {
  const { id } = await channel()
  const { status, body } = await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect([status, body.error]).toEqual([409, 'CONFLICT'])
  expect(body.message).toMatch(/upload.*attach/i)
  expect((await given.api.call('GET', `/api/channels/${id}`)).body.state).toBe('off')
})

test('start and stop answer 202 with the channel, the command and what is observed', async () => {
  const { id, slug } = await withMusic()
  given.api.servers.set('one', { capacity: 10, sight: { kind: 'heard' } })
  const started = await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect(started.status).toBe(202)
  expect(started.body).toEqual({
    message: 'Stream start command sent successfully',
    channel: { id, name: 'Radio', slug, state: 'on' },
    command: { id: `${id}:1` },
    stream: {
      phase: 'starting',
      server: 'one',
      epoch: 1,
      mount: `/${slug}`,
      listen_url: `http://radio.test:8000/${slug}`,
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      observed_at: null,
      stale: false,
      standby: null,
      now_playing: null,
      listeners: null,
      last_error: null,
    },
  })
  const again = await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect(again.body.command).toEqual(started.body.command)

  told(id, {})
  const status = await given.api.call('GET', `/api/channels/${slug}/stream/status`)
  expect(status.body.stream).toMatchObject({
    phase: 'on_air',
    since: '2023-11-14T22:13:20.000Z',
    now_playing: { title: 'T', artist: 'A', started_at: '2023-11-14T22:13:20.000Z' },
  })
  expect(status.body).not.toHaveProperty('command')
  given.api.deaf.since = Date.now()
  expect((await given.api.call('GET', `/api/channels/${slug}/stream/status`)).body.stream).toMatchObject({
    phase: 'on_air',
    observed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    stale: true,
    last_error: { code: 'BUS_UNREACHABLE' },
  })
  given.api.deaf.since = null

  const stopped = await given.api.call('POST', `/api/channels/${id}/stream/stop`, { token: given.token })
  expect(stopped.body).toMatchObject({
    message: 'Stream stop command sent successfully',
    channel: { state: 'off' },
    stream: { phase: 'stopping' },
  })
  told(id, { phase: 'off', generation: 2 })
  expect((await given.api.call('GET', `/api/channels/${id}/stream/status`)).body.stream).toMatchObject({
    phase: 'off',
    listeners: 0,
  })
  given.api.servers.clear()
})

test('the state can be said instead: it is the same as start and stop, however often', async () => {
  const { id } = await withMusic()
  const put = (state: string) => given.api.call('PUT', `/api/channels/${id}/state`, { token: given.token, body: { state } })
  const started = await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect(await put('on')).toMatchObject({ status: 202, body: started.body })
  const stopped = await put('off')
  expect(stopped).toMatchObject({ status: 202, body: { channel: { state: 'off' }, command: { id: `${id}:2` } } })
  expect((await put('off')).body).toEqual(stopped.body)
  expect((await put('paused')).status).toBe(400)
  expect(
    (await given.api.call('PUT', `/api/channels/${(await channel()).id}/state`, { token: given.token, body: { state: 'on' } }))
      .status,
  ).toBe(409)
})

test('without a server a wanted channel is being placed, and a start is still taken', async () => {
  const { id } = await withMusic()
  const { status, body } = await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect([status, body.channel.state, body.stream.phase, body.stream.server]).toEqual([202, 'on', 'placing', null])
})

test('a started channel goes to a server with room, and after a stop back to the same one', async () => {
  given.api.servers.set('full', { capacity: 0, sight: { kind: 'heard' } })
  given.api.servers.set('free', { capacity: 100, sight: { kind: 'heard' } })
  const { id } = await withMusic()
  const start = () => given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  expect((await start()).body.stream).toMatchObject({ server: 'free', epoch: 1 })
  await given.api.call('POST', `/api/channels/${id}/stream/stop`, { token: given.token })
  given.api.servers.set('other', { capacity: 100, sight: { kind: 'heard' } })
  expect((await start()).body.stream).toMatchObject({ server: 'free', epoch: 1 })
  await given.api.call('POST', `/api/channels/${id}/stream/stop`, { token: given.token })
  given.api.servers.set('free', { capacity: 100, sight: { kind: 'silent', since: 0 } })
  expect((await start()).body.stream).toMatchObject({ server: 'other', epoch: 2 })
  given.api.servers.clear()
})

test('a channel whose server is silent is failing, with what to do', async () => {
  given.api.servers.set('one', { capacity: 10, sight: { kind: 'heard' } })
  const { id } = await withMusic()
  await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  told(id, {})
  given.api.servers.set('one', { capacity: 10, sight: { kind: 'silent', since: 1_700_000_000_000 } })
  const { stream } = (await given.api.call('GET', `/api/channels/${id}/stream/status`)).body
  expect(stream).toMatchObject({
    phase: 'failing',
    now_playing: null,
    last_error: { code: 'SERVER_SILENT', hint: expect.any(String) },
  })
  given.api.servers.clear()
})

test('two starts at the same moment are one start', async () => {
  for (const id of ['a', 'b', 'c', 'd']) given.api.servers.set(id, { capacity: 100, sight: { kind: 'heard' } })
  for (let round = 0; round < 10; round++) {
    const { id } = await withMusic()
    const answers = await Promise.all(
      [1, 2, 3].map(() => given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })),
    )
    expect(new Set(answers.map(({ body }) => `${body.stream.epoch} ${body.stream.server} ${body.command.id}`)).size).toBe(1)
    expect(await given.api.query('SELECT epoch::int, generation::int FROM channels WHERE id = $1', [id])).toEqual([
      { epoch: 1, generation: 1 },
    ])
  }
  given.api.servers.clear()
})

test('listeners are those that metrics counted lately', async () => {
  const { id } = await withMusic()
  await given.api.call('POST', `/api/channels/${id}/stream/start`, { token: given.token })
  const listeners = async () => (await given.api.call('GET', `/api/channels/${id}/stream/status`)).body.stream.listeners
  expect(await listeners()).toBeNull()
  await given.api.stores.listenerCounts.record({ channelId: id, count: 7, peak: 9, observedAt: new Date(Date.now() - 3_600_000) })
  expect(await listeners()).toBeNull()
  await given.api.stores.listenerCounts.record({ channelId: id, count: 8, peak: 9, observedAt: new Date() })
  expect(await listeners()).toBe(8)
})

import { beforeAll, expect, test } from '@jest/globals'
import { stamp } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import type { Api } from '../src/api.ts'
import { wholeApi } from './whole-api.ts'

const given = wholeApi('file')
const { call, runningChannel, started } = given
let api: Api

beforeAll(async () => {
  api = await started()
}, 60_000)

test('listener counts of the bus are shown', async () => {
  const id = await runningChannel(api)
  const at = Date.now()
  const envelope = stamp({ application: 'skipcast', environment: 'test' }, at, 'count')
  const metric = {
    channel_id: id,
    channel_slug: 'x',
    mount: '/x',
    count: 12,
    peak: 20,
    bitrate_kbps: 128,
    title: null,
    uptime_s: 5,
  }
  await given.bus.publish('listenerMetrics', [{ key: id, value: { ...envelope, event: 'listener_count_update', ...metric } }])
  await waitFor(
    'the count',
    async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream.listeners === 12,
    {
      timeoutMs: 10_000,
    },
  )
})

test('what engines tell is in the log of what was played, once, and counts become a history', async () => {
  const id = await runningChannel(api)
  const at = Date.now()
  const about = { channel_id: id, channel_slug: 'x', server_id: 'one', epoch: 1 }
  const play = (name: string, startedAt: number) => ({
    ...stamp({ application: 'skipcast', environment: 'test' }, startedAt, name),
    ...about,
    event: 'track_started' as const,
    track_play_id: name,
    media_id: 'm',
    title: `<b>${name}</b>`,
    artist: 'A',
    started_at: startedAt,
  })
  const values = [play('early', at - 5000), play('late', at), play('late', at), play('long ago', at - 2 * 86_400_000)]
  await given.bus.publish(
    'streamEvents',
    values.map((value) => ({ key: id, value })),
  )
  const plays = async (query = '') => (await call(api, 'GET', `/api/channels/${id}/track-plays${query}`)).body
  await waitFor('the log', async () => (await plays('?from=2020-01-01T00:00:00Z')).total === 3, { timeoutMs: 10_000 })
  expect(await plays()).toMatchObject({ total: 2, data: [{ id: 'late', title: '<b>late</b>', server: 'one' }, { id: 'early' }] })
  expect((await plays(`?to=${new Date(at).toISOString()}`)).total).toBe(1)

  const counted = { ...stamp({ application: 'skipcast', environment: 'test' }, at, 'count'), channel_id: id, channel_slug: 'x' }
  const metric = {
    event: 'listener_count_update' as const,
    mount: '/x',
    count: 7,
    peak: 9,
    bitrate_kbps: 128,
    title: null,
    uptime_s: 5,
  }
  await given.bus.publish('listenerMetrics', [{ key: id, value: { ...counted, ...metric } }])
  const metrics = (query = '') => call(api, 'GET', `/api/channels/${id}/metrics${query}`)
  await waitFor('the history', async () => (await metrics()).body.points.length === 1, { timeoutMs: 10_000 })
  expect((await metrics('?step=3600')).body).toMatchObject({ step: 3600, points: [{ min: 7, mean: 7, max: 7 }] })
})

test.each([
  ['metrics?step=59', /step/],
  ['metrics?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z', /step/],
  ['metrics?from=yesterday', /from/],
  ['metrics?from=2026-13-01T00:00:00Z', /from/],
  ['track-plays?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', /from/],
  ['track-plays?sort=title', /sort/],
])('a bad question about the past is refused by the field’s name: %s', async (query, named) => {
  const { body } = await call(api, 'POST', '/api/channels', { name: 'Radio' })
  const answer = await call(api, 'GET', `/api/channels/${body.channel.id}/${query}`)
  expect([answer.status, answer.body.error]).toEqual([400, 'BAD_REQUEST'])
  expect(answer.body.message).toMatch(named)
})

import { afterAll, beforeAll, expect } from '@jest/globals'
import type { StreamStatus } from '@skipcast/contracts'
import { musicRecord, onAirStatus, testApi, type TestApi } from './test-api.ts'

/** An API of the test file's own, and a DJ whose channels these are. Call it once, at the top. */
export function testChannels() {
  let api: TestApi
  let token: string
  let userId: string
  let made = 0

  beforeAll(async () => {
    api = await testApi()
    const owner = await api.user('dj')
    token = owner.token
    userId = owner.user.id
  }, 60_000)
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  const channel = async (fields: object = {}): Promise<{ id: string; slug: string }> => {
    const { body, status } = await api.call('POST', '/api/channels', {
      token,
      body: { name: 'Radio', slug: `radio-${made++}`, ...fields },
    })
    expect(status).toBe(201)
    return body.channel
  }
  return {
    get api() {
      return api
    },
    get token() {
      return token
    },
    get userId() {
      return userId
    },
    channel,
    /** A channel with one piece. */
    withMusic: async (): Promise<{ id: string; slug: string }> => {
      const one = await channel()
      const media = await api.stores.media.add(musicRecord(userId))
      const { status } = await api.call('POST', `/api/channels/${one.id}/media`, { token, body: { media_ids: [media.id] } })
      expect(status).toBe(200)
      return one
    },
    /** What an agent tells of a channel. */
    told: (channelId: string, fields: Partial<StreamStatus>) =>
      void api.statuses.set(channelId, onAirStatus(channelId, { epoch: 1, ...fields })),
  }
}

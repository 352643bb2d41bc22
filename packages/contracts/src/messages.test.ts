import { describe, expect, test } from '@jest/globals'
import { messages } from './messages.ts'
import { stamp } from './envelope.ts'

const about = {
  ...stamp({ application: 'skipcast', environment: 'test' }, 1_700_000_000_123, 'e1'),
  channel_id: 'c1',
  channel_slug: 'demo',
}

describe('messages', () => {
  test('the envelope tells the moment in seconds and in milliseconds', () => {
    expect(about).toMatchObject({ timestamp: 1_700_000_000, occurred_at: 1_700_000_000_123, version: 1, metadata: {} })
  })

  test('a reader drops fields it does not know', () => {
    const stop = { ...about, event: 'stop_stream', generation: 1, epoch: 1, server_id: null, mount: '/demo', later: 'addition' }
    expect(messages.streamCommands.parse(stop)).not.toHaveProperty('later')
  })

  test.each(['/Demo', '/a/b', 'demo', '/../x', '/a\r\nX: 1', '/'])('%j is no mount', (mount) => {
    const stop = { ...about, event: 'stop_stream', generation: 1, epoch: 1, server_id: null, mount }
    expect(messages.streamCommands.safeParse(stop).success).toBe(false)
  })
})

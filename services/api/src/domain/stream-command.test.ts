import { expect, test } from '@jest/globals'
import { verifySourceToken } from '@skipcast/contracts'
import { commandId, toStreamCommand } from './stream-command.ts'

const context = { origin: { application: 'skipcast', environment: 'test' }, signingKey: 'k'.repeat(32) }
const channel = {
  id: 'c1',
  slug: 'radio',
  wanted: 'on',
  generation: 7,
  epoch: 3,
  serverId: 's',
  commandedAt: null,
  name: '#{x}',
  description: '',
  genre: '',
  mode: 'copy',
  format: 'mp3',
  bitrateKbps: 128,
  crossfadeMs: 0,
  loudnessLufs: null,
} as const

test('a start carries the whole wanted stream and a password that is good for its epoch only', () => {
  const command = toStreamCommand(context, channel, [], new Date(1000))
  expect(command).toMatchObject({ event: 'start_stream', generation: 7, epoch: 3, server_id: 's', mount: '/radio', name: '#{x}' })
  const token = command.event === 'start_stream' ? command.source_token : ''
  expect(verifySourceToken(context.signingKey, '/radio', token)).toEqual({ channelId: 'c1', mount: '/radio', epoch: 3 })
})

test('a stop carries no password and no playlist', () => {
  const command = toStreamCommand(context, { ...channel, wanted: 'off' }, [], new Date(1000))
  expect(command.event).toBe('stop_stream')
  expect(command).not.toHaveProperty('source_token')
})

test('the same generation gives the same command id, however often it is told', () => {
  expect(toStreamCommand(context, channel, [], new Date(1)).id).toBe(commandId(channel))
  expect(toStreamCommand(context, channel, [], new Date(2)).id).toBe(commandId(channel))
})

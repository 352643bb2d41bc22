import { expect, test } from '@jest/globals'
import { verifySourceToken, type StreamStatus } from '@skipcast/contracts'
import { commandId, toStreamCommand } from './stream-command.ts'

const context = {
  origin: { application: 'skipcast', environment: 'test' },
  signingKey: 'k'.repeat(32),
  lastTold: (): StreamStatus | undefined => undefined,
}
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
  privacy: 'public',
  mode: 'copy',
  format: 'mp3',
  bitrateKbps: 128,
  crossfadeMs: 0,
  loudnessLufs: null,
  maxListeners: null,
  primaryMount: 'own',
  standbyServerId: null,
  standbyEpoch: 0,
  movedFrom: null,
  movedBecause: null,
  handOver: null,
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

test('a second replica has a password of its own, for the waiting mount and its own epoch', () => {
  const replicated = { ...channel, standbyServerId: 't', standbyEpoch: 2 }
  const command = toStreamCommand(context, replicated, [], new Date(1000))
  expect(command.standby).toMatchObject({ server_id: 't', epoch: 2, mount: '/w/radio' })
  const token = command.event === 'start_stream' ? command.standby!.source_token : ''
  expect(verifySourceToken(context.signingKey, '/w/radio', token)).toEqual({ channelId: 'c1', mount: '/w/radio', epoch: 2 })
  expect(verifySourceToken(context.signingKey, '/radio', token)).toBeNull()
  const stop = toStreamCommand(context, { ...replicated, wanted: 'off' }, [], new Date(1000))
  expect(stop.standby).toEqual({ server_id: 't', epoch: 2, mount: '/w/radio' })
})

test('where the primary has the waiting mount, the second replica has the other', () => {
  const swapped = { ...channel, epoch: 2, primaryMount: 'waiting', standbyServerId: 't', standbyEpoch: 3 } as const
  const command = toStreamCommand(context, swapped, [], new Date(1000))
  expect(command).toMatchObject({ mount: '/w/radio', standby: { mount: '/radio' } })
  const [first, second] = command.event === 'start_stream' ? [command.source_token, command.standby!.source_token] : []
  expect(verifySourceToken(context.signingKey, '/w/radio', first!)).toEqual({ channelId: 'c1', mount: '/w/radio', epoch: 2 })
  expect(verifySourceToken(context.signingKey, '/radio', second!)).toEqual({ channelId: 'c1', mount: '/radio', epoch: 3 })
})

test('who is not lost is told how to hand the channel over', () => {
  const moved = { ...channel, movedFrom: 'old', handOver: 'track_end' } as const
  expect(toStreamCommand(context, moved, [], new Date(1000))).toMatchObject({ takes_over: { server_id: 'old', at: 'track_end' } })
  const lost = toStreamCommand(context, { ...moved, handOver: null }, [], new Date(1000))
  expect(lost).not.toHaveProperty('takes_over')
  expect(lost).toMatchObject({ moved_from: 'old' })
  expect(toStreamCommand(context, channel, [], new Date(1000))).not.toHaveProperty('moved_from')
})

test('who begins anew is told what was heard last, by whomever; but not what was heard before the channel was off', () => {
  const told = (fields: Partial<StreamStatus>) => () => {
    const now_playing = { media_id: 'm', title: 't', artist: '', started_at: 9000, queued_at: 7000 }
    return { phase: 'on_air', epoch: 2, now_playing, ...fields } as StreamStatus
  }
  const playing = (fields: Partial<StreamStatus>, movedBecause: string | null = 'lost') =>
    toStreamCommand({ ...context, lastTold: told(fields) }, { ...channel, movedBecause }, [], new Date(1000))
  expect(playing({})).toMatchObject({ playing: { media_id: 'm', sent_at: 7000 } })
  expect(playing({ epoch: 3 }, 'start')).toMatchObject({ playing: { media_id: 'm' } })
  for (const command of [
    playing({}, 'start'),
    playing({ phase: 'stopping' }),
    playing({ phase: 'off' }),
    playing({ now_playing: null }),
    playing({ now_playing: { media_id: 'm', title: '', artist: '', started_at: 1 } }),
  ])
    expect(command).not.toHaveProperty('playing')
})

test('the same generation gives the same command id, however often it is told', () => {
  expect(toStreamCommand(context, channel, [], new Date(1)).id).toBe(commandId(channel))
  expect(toStreamCommand(context, channel, [], new Date(2)).id).toBe(commandId(channel))
})

import { expect, test } from '@jest/globals'
import { stamp, type StreamStatus } from '@skipcast/contracts'
import { standbyView, streamView, type StreamFacts } from './stream-view.ts'

const wanted = {
  slug: 'radio',
  wanted: 'on',
  generation: 5,
  epoch: 2,
  serverId: 'a',
  commandedAt: new Date(5000),
} as const

function told(fields: Partial<StreamStatus>): StreamStatus {
  return {
    ...stamp({ application: 'skipcast', environment: 'test' }, 6000, 'x'),
    event: 'stream_status_update',
    channel_id: 'c',
    channel_slug: 'radio',
    phase: 'on_air',
    server_id: 'a',
    generation: 5,
    epoch: 2,
    mount: '/radio',
    since: 6000,
    now_playing: { media_id: 'm', title: 't', artist: '', started_at: 6000 },
    monitors: 0,
    last_error: null,
    ...fields,
  }
}

function view(facts: Partial<StreamFacts>) {
  return streamView({
    wanted,
    status: undefined,
    server: { kind: 'heard' },
    heardAt: null,
    deafSince: null,
    listeners: null,
    ...facts,
  })
}

test('an off channel of which nobody told anything is off, without listeners', () => {
  expect(view({ wanted: { ...wanted, wanted: 'off', serverId: null, commandedAt: null } })).toMatchObject({
    phase: 'off',
    listeners: 0,
    since: null,
    lastError: null,
  })
})

test('an off channel that still runs is stopping, until its agent says off', () => {
  const off = { ...wanted, wanted: 'off' as const, generation: 6 }
  expect(view({ wanted: off, status: told({}) }).phase).toBe('stopping')
  expect(view({ wanted: off, status: told({ phase: 'off', since: 9000 }) })).toMatchObject({ phase: 'off', since: 9000 })
})

test('an off channel of whose last placement nobody ever heard is off, whatever was told of the one before', () => {
  const off = { ...wanted, wanted: 'off' as const, generation: 6, epoch: 3, serverId: 'b' }
  expect(view({ wanted: off, status: told({}) })).toMatchObject({ phase: 'off', listeners: 0 })
  expect(view({ wanted: off, status: told({ epoch: 3, phase: 'stopping' }) }).phase).toBe('stopping')
})

test('what was told is as old as its agent was last heard, and stale while the bus is away', () => {
  expect(view({})).toMatchObject({ observedAt: null, isStale: false })
  expect(view({ status: told({}) })).toMatchObject({ observedAt: 6000, isStale: false })
  expect(view({ status: told({}), heardAt: 9000 }).observedAt).toBe(9000)
  expect(view({ status: told({ server_id: 'b' }), heardAt: 9000 }).observedAt).toBe(6000)
  expect(view({ status: told({}), heardAt: 9000, deafSince: 9500, server: { kind: 'unknown' } })).toMatchObject({
    phase: 'on_air',
    observedAt: 9000,
    isStale: true,
    lastError: { code: 'BUS_UNREACHABLE', at: 9500, hint: expect.stringContaining('KAFKA_BROKER') },
  })
})

test('of a silent server it is said what was seen last, and whether somebody still hears the stream', () => {
  const silent = { status: told({}), server: { kind: 'silent', since: 8000 }, heardAt: 8000 } as const
  const { lastError, phase } = view(silent)
  expect([phase, lastError!.code]).toEqual(['failing', 'SERVER_SILENT'])
  expect(lastError!.message).toMatch(/since 1970-01-01T00:00:08.000Z.*the stream was on_air, since 1970-01-01T00:00:06.000Z/)
  expect(lastError!.message).not.toMatch(/Icecast/)
  const counted = view({ ...silent, listeners: { count: 3, at: 9000 } })
  expect(counted.lastError!.message).toMatch(/Icecast still has its mount: 3 listened at 1970-01-01T00:00:09.000Z/)
  expect(counted.lastError!.hint).toMatch(/listen to the mount/)
  expect(view({ ...silent, listeners: { count: 3, at: 7000 } }).lastError!.message).not.toMatch(/Icecast/)
})

test('a wanted channel without a server is being placed, whatever ran before', () => {
  expect(view({ wanted: { ...wanted, serverId: null }, status: told({ epoch: 1 }) })).toMatchObject({
    phase: 'placing',
    server: null,
    since: 5000,
    nowPlaying: null,
  })
})

test('it starts while its agent has told nothing of it', () => {
  expect(view({})).toMatchObject({ phase: 'starting', server: 'a', since: 5000 })
})

test('it starts while only an older epoch was seen, even if that was on air', () => {
  expect(view({ status: told({ epoch: 1, server_id: 'b' }) })).toMatchObject({
    phase: 'starting',
    nowPlaying: null,
    lastError: null,
  })
})

test('it starts while what was seen belongs to the time before it was switched on', () => {
  for (const phase of ['off', 'stopping', 'failing'] as const) {
    expect(view({ status: told({ phase, generation: 4 }) }).phase).toBe('starting')
  }
})

test('what is heard stays on air while a newer playlist is on its way', () => {
  expect(view({ status: told({ generation: 4 }) })).toMatchObject({ phase: 'on_air', since: 6000, nowPlaying: { title: 't' } })
})

test('silence and failure are told as they were seen, with the reason', () => {
  const lastError = { code: 'MEDIA_MISSING', message: 'gone', hint: 'bring it back', at: 1 }
  expect(view({ status: told({ phase: 'silent' }) }).phase).toBe('silent')
  expect(view({ status: told({ phase: 'failing', last_error: lastError }) })).toMatchObject({
    phase: 'failing',
    lastError,
    nowPlaying: null,
  })
})

test('a channel whose server fell silent is failing, and says so', () => {
  const seen = view({ status: told({}), server: { kind: 'silent', since: 7000 } })
  expect(seen).toMatchObject({ phase: 'failing', since: 7000, nowPlaying: null, lastError: { code: 'SERVER_SILENT', at: 7000 } })
})

test('while it is we who hear nobody, the last that was told stands', () => {
  expect(view({ status: told({}), server: { kind: 'unknown' } }).phase).toBe('on_air')
})

test('a channel that was switched off on a server that fell silent may still be running', () => {
  const seen = view({ wanted: { ...wanted, wanted: 'off' }, status: told({}), server: { kind: 'silent', since: 7000 } })
  expect(seen).toMatchObject({ phase: 'stopping', lastError: { code: 'SERVER_SILENT' } })
})

test('a second replica is seen as the first is, under its own epoch and with its own server', () => {
  const replicated = { ...wanted, replicas: 2, standbyServerId: 'b', standbyEpoch: 3 } as const
  const facts = { wanted: replicated, server: { kind: 'heard' }, heardAt: null, deafSince: null } as const
  const seen = (fields: Partial<StreamStatus>) => standbyView({ ...facts, status: told({ server_id: 'b', ...fields }) })
  expect(seen({ epoch: 3 })).toEqual({ server: 'b', phase: 'on_air', since: 6000, lastError: null })
  expect(seen({ epoch: 2 })).toMatchObject({ server: 'b', phase: 'starting' })
  expect(standbyView({ ...facts, status: undefined, server: { kind: 'silent', since: 7000 } })).toMatchObject({
    phase: 'failing',
    lastError: { code: 'SERVER_SILENT', message: expect.stringContaining('The server b') },
  })
  expect(standbyView({ ...facts, status: undefined, wanted: { ...replicated, standbyServerId: null } })).toMatchObject({
    server: null,
    phase: 'placing',
  })
  expect(standbyView({ ...facts, status: undefined, wanted: { ...replicated, standbyServerId: null, replicas: 1 } })).toBeNull()
})

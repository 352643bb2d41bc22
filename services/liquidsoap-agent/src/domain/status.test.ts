import { describe, expect, test } from '@jest/globals'
import { messages, type StreamStatus } from '@skipcast/contracts'
import { problem } from './problem.ts'
import { essence, eventsOf, statusKey, statusMessage, type Report } from './status.ts'

const teller = { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } }
const report = (phase: StreamStatus['phase'], overrides: Partial<Report> = {}): Report => ({
  slug: 'a',
  isStandby: false,
  epoch: 2,
  generation: 3,
  phase,
  since: 5000,
  error: phase === 'failing' ? problem('ENGINE_CRASHED', 5000) : null,
  ...overrides,
})
const playing = { track_play_id: 'e.1', media_id: 'one', title: 'Title', artist: 'Artist', started_at: 4000 }

describe('a status', () => {
  test('names what plays only while it is heard', () => {
    const told = (phase: StreamStatus['phase']) => statusMessage(teller, 'a', report(phase), { at: 6000, playing, monitors: 1 })
    expect(messages.streamStatus.parse(told('on_air')).now_playing).toEqual(playing)
    for (const phase of ['starting', 'failing', 'stopping', 'off'] as const) expect(told(phase).now_playing).toBeNull()
  })

  test('is new when anything but the time changed', () => {
    const at = (now: number, monitors = 1) =>
      essence(statusMessage(teller, 'a', report('on_air'), { at: now, playing, monitors }))
    expect(at(1)).toBe(at(2))
    expect(at(1)).not.toBe(at(1, 0))
  })
})

describe('a status of a second replica', () => {
  test('is kept apart, and tells where the channel is heard', () => {
    const told = statusMessage(teller, 'a', report('on_air', { isStandby: true }), { at: 6000, playing, monitors: 1 })
    expect(messages.streamStatus.parse(told)).toMatchObject({ is_standby: true, mount: '/a', channel_id: 'a' })
    expect(statusKey(told)).toBe('a:standby')
    expect(statusKey(statusMessage(teller, 'a', report('on_air'), { at: 6000, playing, monitors: 1 }))).toBe('a')
  })
})

describe('the events of a change', () => {
  const change = (
    from: StreamStatus['phase'],
    to: StreamStatus['phase'],
    startedRecord: string | null,
    record: string | null,
    {
      isStandby = false,
      movedFrom,
      movedEpoch = null,
    }: { isStandby?: boolean; movedFrom?: string; movedEpoch?: number | null } = {},
  ) => {
    const before = { phase: from, startedRecord, movedEpoch }
    const { events, told } = eventsOf(teller, 'a', before, report(to, { isStandby }), { record, movedFrom })
    return { events: events.map((event) => messages.streamEvents.parse(event)), told }
  }
  const only = (...args: Parameters<typeof change>) => {
    const { events } = change(...args)
    expect(events.length).toBeLessThanOrEqual(1)
    return events[0] ?? null
  }

  test('are a start once per record that is heard', () => {
    expect(only('starting', 'on_air', null, 'e.c1')).toMatchObject({
      id: 'e.c1.started',
      event: 'channel_started',
      epoch: 2,
      mount: '/a',
    })
    expect(only('silent', 'on_air', 'e.c1', 'e.c1')).toBeNull()
    expect(only('on_air', 'on_air', 'e.c1', 'f.c1')).toMatchObject({ id: 'f.c1.started' })
    expect(only('off', 'starting', null, 'e.c1')).toBeNull()
  })

  test('are a failure when it begins to fail', () => {
    expect(only('on_air', 'failing', 'e.c1', null)).toMatchObject({
      event: 'channel_failed',
      error: { code: 'ENGINE_CRASHED' },
    })
    expect(only('failing', 'failing', 'e.c1', null)).toBeNull()
  })

  test('are a stop when what had started is off', () => {
    expect(only('stopping', 'off', 'e.c1', null)).toMatchObject({ id: 'e.c1.stopped', event: 'channel_stopped' })
    expect(only('off', 'off', 'e.c1', null)).toBeNull()
    expect(only('starting', 'off', null, null)).toBeNull()
  })

  test('are a move once per epoch, told by who has it now when it is heard there', () => {
    const { events, told } = change('starting', 'on_air', null, 'e.c1', { movedFrom: 'there' })
    expect(events.map(({ event }) => event)).toEqual(['channel_started', 'channel_moved'])
    expect(events[1]).toMatchObject({ from_server_id: 'there', server_id: 'here', epoch: 2, mount: '/a' })
    expect(told).toEqual({ startedRecord: 'e.c1', movedEpoch: 2 })
    expect(only('failing', 'on_air', 'e.c1', 'f.c1', { movedFrom: 'there', movedEpoch: 2 })).toMatchObject({ id: 'f.c1.started' })
    expect(only('off', 'starting', null, 'e.c1', { movedFrom: 'there' })).toBeNull()
  })

  test('are none of a standby, and but a move when that becomes the primary', () => {
    const { events, told } = change('starting', 'on_air', null, 'e.c1', { isStandby: true, movedFrom: 'there' })
    expect(events).toEqual([])
    expect(told).toEqual({ startedRecord: 'e.c1', movedEpoch: null })
    expect(only('on_air', 'failing', 'e.c1', null, { isStandby: true })).toBeNull()
    expect(only('on_air', 'on_air', told.startedRecord, 'e.c1', { movedFrom: 'there' })).toMatchObject({ event: 'channel_moved' })
  })
})

import { describe, expect, test } from '@jest/globals'
import { messages, type StreamStatus } from '@skipcast/contracts'
import { problem } from './problem.ts'
import { essence, eventOf, statusMessage, type Report } from './status.ts'

const teller = { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } }
const report = (phase: StreamStatus['phase'], overrides: Partial<Report> = {}): Report => ({
  slug: 'a',
  mount: '/a',
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

describe('the event of a change', () => {
  const change = (
    from: StreamStatus['phase'],
    to: StreamStatus['phase'],
    startedRecord: string | null,
    record: string | null,
  ) => {
    const event = eventOf(teller, 'a', { phase: from, startedRecord }, report(to), record)
    return event && messages.streamEvents.parse(event)
  }

  test('is a start once per record that is heard', () => {
    expect(change('starting', 'on_air', null, 'e.c1')).toMatchObject({
      id: 'e.c1.started',
      event: 'channel_started',
      epoch: 2,
      mount: '/a',
    })
    expect(change('silent', 'on_air', 'e.c1', 'e.c1')).toBeNull()
    expect(change('on_air', 'on_air', 'e.c1', 'f.c1')).toMatchObject({ id: 'f.c1.started' })
    expect(change('off', 'starting', null, 'e.c1')).toBeNull()
  })

  test('is a failure when it begins to fail', () => {
    expect(change('on_air', 'failing', 'e.c1', null)).toMatchObject({
      event: 'channel_failed',
      error: { code: 'ENGINE_CRASHED' },
    })
    expect(change('failing', 'failing', 'e.c1', null)).toBeNull()
  })

  test('is a stop when what had started is off', () => {
    expect(change('stopping', 'off', 'e.c1', null)).toMatchObject({ id: 'e.c1.stopped', event: 'channel_stopped' })
    expect(change('off', 'off', 'e.c1', null)).toBeNull()
    expect(change('starting', 'off', null, null)).toBeNull()
  })
})

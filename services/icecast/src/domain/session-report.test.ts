import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readSessionReport } from './session-report.ts'

const line = 'secret 0b6cbf4c-9f2e-4b1c-8e50-7d8a7f2f9f0e 2001:db8::7 61234 /demo VLC/3.0 LibVLC\n'

describe('readSessionReport', () => {
  test('reads what the front tells', () => {
    expect(readSessionReport(line, 'secret')).toEqual({
      sessionId: '0b6cbf4c-9f2e-4b1c-8e50-7d8a7f2f9f0e',
      address: '2001:db8::7',
      durationMs: 61_234,
      mount: '/demo',
      agent: 'VLC/3.0 LibVLC',
      isMonitor: false,
    })
  })

  test('knows our own monitors, by the beginning of their name only', () => {
    const of = (agent: string) => readSessionReport(line.replace('VLC/3.0 LibVLC', agent), 'secret')!
    expect(of('skipcast-monitor/1').isMonitor).toBe(true)
    expect(of('x skipcast-monitor').isMonitor).toBe(false)
    expect(of('-')).toMatchObject({ isMonitor: false, agent: '-' })
  })

  test('reads nothing else: other lines of the front, lines without the secret, and whatever anybody sends', () => {
    expect(readSessionReport(line, 'other')).toBeNull()
    expect(readSessionReport(line.replace('0b6cbf4c-9f2e-4b1c-8e50-7d8a7f2f9f0e', '-'), 'secret')).toBeNull()
    expect(readSessionReport(line.replace('/demo', '/w/demo'), 'secret')).toBeNull()
    expect(readSessionReport('Server role/role is DOWN.', 'secret')).toBeNull()
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => readSessionReport(text, 'secret') === null))
  })
})

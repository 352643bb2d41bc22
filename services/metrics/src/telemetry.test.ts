import { expect, test } from '@jest/globals'
import { createLogger, healthBoard, meters } from '@skipcast/runtime'
import { Writable } from 'node:stream'
import { metricsTelemetry } from './telemetry.ts'

function fixture() {
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
  const board = meters()
  const health = healthBoard()
  const telemetry = metricsTelemetry(createLogger({ level: 'info', destination }), health, board)
  return { telemetry, lines, problem: () => health.read()['listener metrics']?.problem, show: () => board.show() }
}

test('an outage is two lines, however long it lasts', () => {
  const { telemetry, lines } = fixture()
  telemetry.looked('one', 1)
  for (let look = 0; look < 100; look++) telemetry.lookFailed('one', 'away')
  telemetry.looked('one', 1)
  telemetry.looked('one', 1)
  expect(lines).toHaveLength(2)
})

test('an Icecast that fails in ever new ways does not fill the log', () => {
  const { telemetry, lines } = fixture()
  for (let look = 0; look < 100; look++) telemetry.lookFailed('one', `problem ${look}`)
  expect(lines).toHaveLength(5)
})

test('health names whatever is wrong, until it is well again', () => {
  const { telemetry, problem } = fixture()
  telemetry.lookFailed('one', 'one is away')
  telemetry.lookFailed('two', 'two is away')
  telemetry.looked('three', 1)
  expect(problem()).toBe('one is away; two is away')
  telemetry.looked('one', 1)
  telemetry.notTold('no bus')
  expect(problem()).toBe('two is away; no bus')
  telemetry.looked('two', 1)
  telemetry.told(3)
  expect(problem()).toBeNull()
})

test('Prometheus sees how often and how long each Icecast was read, and what was told', async () => {
  const { telemetry, show } = fixture()
  telemetry.looked('radio-1:8000', 40)
  telemetry.lookFailed('radio-2:8000', 'away')
  telemetry.told(7)
  const { text } = await show()
  expect(text).toContain('skipcast_icecast_looks_total{icecast="radio-1:8000",outcome="read"} 1')
  expect(text).toContain('skipcast_icecast_looks_total{icecast="radio-2:8000",outcome="failed"} 1')
  expect(text).toContain('skipcast_icecast_look_seconds_bucket{le="0.05",icecast="radio-1:8000"} 1')
  expect(text).toContain('skipcast_listener_updates_total 7')
})

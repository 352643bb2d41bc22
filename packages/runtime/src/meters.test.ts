import { expect, test } from '@jest/globals'
import { meters } from './meters.ts'

test('shows what was counted, measured and read just now', async () => {
  const board = meters()
  board.counter('skipcast_falls_total', 'Falls.', ['kind']).inc({ kind: 'a"\n' })
  board.histogram('skipcast_wait_seconds', 'Waits.', []).observe(0.3)
  let value = 1
  board.gauge('skipcast_things', 'Things.', ['kind'], async () => [{ labels: { kind: 'x' }, value: value++ }])
  await board.show()
  const { text, contentType } = await board.show()
  expect(contentType).toMatch(/^text\/plain/)
  expect(text).toContain('skipcast_falls_total{kind="a\\"\\n"} 1')
  expect(text).toContain('skipcast_wait_seconds_bucket{le="0.5"} 1')
  expect(text).toContain('skipcast_things{kind="x"} 2')
})

test('a gauge that can not be read takes nothing else with it, and shows no old value', async () => {
  const board = meters()
  let isAway = false
  board.gauge('skipcast_rows', 'Rows.', [], async () => {
    if (isAway) throw new Error('away')
    return [{ value: 5 }]
  })
  expect((await board.show()).text).toContain('skipcast_rows 5')
  isAway = true
  const { text } = await board.show()
  expect(text).toContain('skipcast_rows Nan')
  expect(text).toMatch(/^process_uptime_seconds \d/m)
})

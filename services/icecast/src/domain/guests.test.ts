import { expect, test } from '@jest/globals'
import { isInvited, readListener } from './guests.ts'

const NOW_MS = 1_700_000_000_000
const invited = (agent: string) => isInvited(readListener(agent), 'c1', NOW_MS)

test('with a link, one hears its channel until it expires', () => {
  expect(invited('skipcast-guest c1 1700000001')).toBe(true)
  expect(invited('skipcast-guest c1 1700000000')).toBe(false)
  expect(invited('skipcast-guest c2 1700000001')).toBe(false)
})

test('only monitors that showed a source token need no link', () => {
  expect(invited('skipcast-monitor /w/demo')).toBe(true)
  for (const agent of [
    'skipcast-monitor/1',
    'skipcast-monitor',
    'skipcast-monitor x',
    '',
    'VLC',
    'skipcast-guest',
    'x skipcast-guest c1 9999999999',
  ])
    expect(invited(agent)).toBe(false)
})

import { expect, test } from '@jest/globals'
import { pseudonym } from './pseudonym.ts'

const from = { address: '192.0.2.7', agent: 'VLC/3' }
const noon = Date.parse('2026-11-21T12:00:00Z')
const hour = 3_600_000

test('is the same all day, for this player at this address', () => {
  const name = pseudonym('secret', from, noon)
  expect(pseudonym('secret', from, noon + 11 * hour)).toBe(name)
  for (const other of [
    pseudonym('secret', from, noon + 12 * hour),
    pseudonym('another secret', from, noon),
    pseudonym('secret', { ...from, address: '192.0.2.8' }, noon),
    pseudonym('secret', { ...from, agent: 'VLC/4' }, noon),
    pseudonym('secret', { address: '192.0.2.7V', agent: 'LC/3' }, noon),
  ])
    expect(other).not.toBe(name)
})

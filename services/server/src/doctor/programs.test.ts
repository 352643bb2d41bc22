import { expect, test } from '@jest/globals'
import { isAtLeast, versionFinding } from './programs.ts'

test.each([
  ['2.1.3', '2.1.3', true],
  ['2.10', '2.9.9', true],
  ['2.4', '2.4.4', false],
  ['5.1.9-0', '4.4', true],
  ['1.9.9', '2', false],
])('%s against %s: %s', (version, least, isEnough) => {
  expect(isAtLeast(version, least)).toBe(isEnough)
})

test('says of a program that is too old or too new for its role what to do, and nothing of others', () => {
  const below = { version: '2.5.0', variable: 'ICECAST_BIN' }
  const icecast = { program: 'icecast2', least: '2.4.4', below, debian: 'icecast2' }
  expect(versionFinding(icecast, '2.4.3').problem?.cure).toMatch(/^2\.4\.4 or newer.*apt-get install/)
  for (const has of ['2.5.0', '2.5.1', '2.10', '3.0.0'])
    expect(versionFinding(icecast, has).problem?.cure).toMatch(/does not start with 2\.5\.0 or newer.*ICECAST_BIN/)
  for (const has of ['2.4.4', '2.4.99']) expect(versionFinding(icecast, has)).toEqual({ what: `icecast2 ${has}` })
  expect(versionFinding({ ...icecast, below: undefined }, '9')).toEqual({ what: 'icecast2 9' })
})

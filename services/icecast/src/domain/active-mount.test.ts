import { describe, expect, test } from '@jest/globals'
import { activeMount, outdatedMount } from './active-mount.ts'

describe('activeMount', () => {
  const at = (now: string, primary: string | null, ...engines: string[]) => activeMount({ now, primary }, new Set(engines))

  test('is the primary’s as soon as it plays', () => {
    expect(at('/a', '/w/a', '/a', '/w/a')).toBe('/w/a')
    expect(at('/w/a', '/a', '/a')).toBe('/a')
  })

  test('until then it is where another engine plays: a standby, or who had the channel before', () => {
    expect(at('/a', '/w/a', '/a')).toBe('/a')
    expect(at('/a', '/a', '/w/a')).toBe('/w/a')
  })

  test('stays where it is while nobody plays', () => {
    expect(at('/a', '/w/a')).toBe('/a')
    expect(at('/w/a', '/a')).toBe('/w/a')
  })

  test('without a command it leaves an engine only for one that plays', () => {
    expect(at('/a', null, '/a', '/w/a')).toBe('/a')
    expect(at('/a', null, '/w/a')).toBe('/w/a')
    expect(at('/w/a', null)).toBe('/w/a')
  })

  test('another channel’s engines do not matter', () => {
    expect(at('/a', '/w/a', '/w/b', '/b')).toBe('/a')
  })
})

describe('outdatedMount', () => {
  const primary = { mount: '/w/a', epoch: 5 }
  const over = (engines: Record<string, number>, standby: { mount: string; epoch: number } | null = null, newestEpoch = 5) =>
    outdatedMount({ primary, standby, newestEpoch: Math.max(newestEpoch, standby?.epoch ?? 0) }, new Map(Object.entries(engines)))

  test('is that of who had the channel before, once the newest primary plays', () => {
    expect(over({ '/a': 4 })).toBeNull()
    expect(over({ '/a': 4, '/w/a': 4 })).toBeNull() // the primary to come shall have the mount of an older one
    expect(over({ '/a': 4, '/w/a': 5 })).toBe('/a')
    expect(over({ '/a': 5, '/w/a': 5 })).toBe('/a') // it is refused already, but plays on
    expect(over({ '/w/a': 5 })).toBeNull()
  })

  test('is not that of the standby, nor of one that is newer than what is known', () => {
    const standby = { mount: '/a', epoch: 6 }
    expect(over({ '/a': 6, '/w/a': 5 }, standby)).toBeNull()
    expect(over({ '/a': 7, '/w/a': 5 }, standby)).toBeNull()
    expect(over({ '/a': 4, '/w/a': 5 }, standby)).toBe('/a')
  })

  test('is that of a standby that was given up, although its epoch is higher than the primary’s', () => {
    expect(over({ '/a': 6, '/w/a': 5 }, null, 6)).toBe('/a')
    expect(over({ '/a': 7, '/w/a': 5 }, null, 6)).toBeNull()
    expect(over({ '/a': 6, '/w/a': 5 }, { mount: '/a', epoch: 7 })).toBe('/a')
  })
})

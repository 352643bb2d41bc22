import { expect, test } from '@jest/globals'
import type { Phase } from '@skipcast/contracts'
import { reachMeter } from './reach-meter.ts'

test('who was cut off and lost its channels for that is not believed for a minute, unless one is heard', () => {
  let now = 0
  let told: { phase: Phase; since: number; error: { code: string; message: string; hint: string; at: number } | null }[] = []
  const failing = { phase: 'failing' as const, since: 7, error: { code: 'NOT_HEARD', message: '', hint: '', at: 7 } }
  const reach = reachMeter(() => told, { wallMs: () => 0, steadyMs: () => now })
  expect(reach()).toEqual({ heard: 0, cutOffSince: null })
  told = [failing]
  expect(reach().cutOffSince).toBe(7)
  told = []
  now = 60_000
  expect(reach().cutOffSince).toBe(7)
  now = 60_001
  expect(reach().cutOffSince).toBeNull()
  told = [failing]
  expect(reach().cutOffSince).toBe(7)
  told = [{ phase: 'on_air', since: 9, error: null }]
  expect(reach()).toEqual({ heard: 1, cutOffSince: null })
})

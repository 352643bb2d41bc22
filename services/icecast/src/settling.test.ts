import { describe, expect, test } from '@jest/globals'
import { meters, silentLogger } from '@skipcast/runtime'
import { settling } from './settling.ts'
import type { IcecastAdmin } from './ports.ts'
import { icecastTelemetry } from './telemetry.ts'

function fixture() {
  const did: string[] = []
  const state = { did, isRunning: true, isFiller: false, asked: () => {} }
  const admin = {
    async setFallback(mount: string, fallback: string) {
      state.asked()
      if (state.isRunning) did.push(`${mount} falls back to ${fallback}`)
      return state.isRunning
    },
    async moveListeners(from: string, to: string) {
      did.push(`${from} to ${to}`)
      return true
    },
  } as Partial<IcecastAdmin> as IcecastAdmin
  const settle = settling(admin, { isConnected: () => state.isFiller }, icecastTelemetry(silentLogger(), meters()))
  return { ...state, state, settle }
}

describe('settling', () => {
  test('a source that runs gets its fallback and its listeners', async () => {
    const { settle, did } = fixture()
    settle.begin('/a')
    expect(settle.isUnderWay('/a')).toBe(true)
    await settle.done('/a', 1000)
    expect(did).toEqual(['/a falls back to /w/a', '/w/a to /a'])
    expect(settle.isUnderWay('/a')).toBe(false)
  })

  test('waits for a source that does not run yet', async () => {
    const { settle, did, state } = fixture()
    state.isRunning = false
    let asked = 0
    state.asked = () => (state.isRunning = ++asked > 2)
    settle.begin('/a')
    await settle.done('/a', 1000)
    expect(did).toEqual(['/a falls back to /w/a', '/w/a to /a'])
  })

  test('the filler fetches nobody', async () => {
    const { settle, did, state } = fixture()
    state.isFiller = true
    settle.begin('/a')
    await settle.done('/a', 1000)
    expect(did).toEqual(['/a falls back to /w/a'])
  })

  test('begun anew, the first attempt ends', async () => {
    const { settle, did, state } = fixture()
    state.isRunning = false
    settle.begin('/a')
    settle.begin('/a')
    state.isRunning = true
    await settle.done('/a', 1000)
    expect(did).toEqual(['/a falls back to /w/a', '/w/a to /a'])
  })

  test('nobody waits where nothing is under way', async () => {
    await fixture().settle.done('/a', 1e9)
  })
})

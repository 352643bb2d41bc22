import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { meters, silentLogger } from '@skipcast/runtime'
import type { MountListener } from './ports.ts'
import { stragglers } from './stragglers.ts'
import { icecastTelemetry } from './telemetry.ts'

const person: MountListener = { id: '1', monitor: null, guest: null }
const ear = (asked: string): MountListener => ({ id: '2', monitor: { asked }, guest: null })

/** Channel /a; what is on its mounts is `on`. */
function fixture() {
  const did: string[] = []
  const engines = new Set(['/a', '/w/a'])
  const on = new Map<string, MountListener[]>()
  const state = { did, engines, on, active: '/a', looks: 0, isUnderWay: false, fails: false }
  const watched = stragglers({
    admin: {
      async listeners(mount) {
        state.looks += 1
        if (state.fails) throw new Error('away')
        return on.get(mount) ?? []
      },
    },
    roster: { playing: engines },
    signposts: { of: () => state.active },
    settling: {
      fetch: (mount) => void did.push(`fetch ${mount}`),
      begin(mount) {
        did.push(`settle ${mount}`)
        on.clear()
      },
      isUnderWay: () => state.isUnderWay,
    },
    telemetry: icecastTelemetry(silentLogger(), meters()),
    now: () => performance.now(),
  })
  return { state, watched }
}

describe('stragglers', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  test('who is found only a second after it was let in to a mount that all have left is fetched then', async () => {
    const { state, watched } = fixture()
    state.active = '/w/a'
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(1000)
    expect(state.did).toEqual([])
    state.on.set('/a', [person])
    await jest.advanceTimersByTimeAsync(200)
    expect(state.did).toEqual(['fetch /a', 'settle /a'])
  })

  test('who was let in before the others left is looked for from that moment on', async () => {
    const { state, watched } = fixture()
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(500)
    expect(state.looks).toBe(0)
    state.active = '/w/a'
    watched.turned('/a')
    state.on.set('/a', [person])
    await jest.advanceTimersByTimeAsync(200)
    expect(state.did).toEqual(['fetch /a', 'settle /a'])
  })

  test('nobody is looked for when everybody must have come', async () => {
    const { state, watched } = fixture()
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(2000)
    state.active = '/w/a'
    watched.turned('/a')
    await jest.advanceTimersByTimeAsync(2000)
    expect(state.looks).toBe(0)
    expect(jest.getTimerCount()).toBe(0)
  })

  test('monitors that asked for the mount where they are belong there', async () => {
    const { state, watched } = fixture()
    state.active = '/w/a'
    state.on.set('/a', [ear('/a')])
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(2000)
    expect(state.did).toEqual([])
  })

  test('nobody is fetched where no engine plays, and a failed look is made again', async () => {
    const { state, watched } = fixture()
    state.active = '/w/a'
    state.on.set('/a', [person])
    state.engines.clear()
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(400)
    expect(state.looks).toBe(0)
    state.engines.add('/w/a')
    state.fails = true
    await jest.advanceTimersByTimeAsync(400)
    state.fails = false
    await jest.advanceTimersByTimeAsync(200)
    expect(state.did).toEqual(['fetch /a', 'settle /a'])
  })

  test('disposed, it looks for nobody any more', async () => {
    const { state, watched } = fixture()
    state.active = '/w/a'
    watched.letIn('/a')
    watched[Symbol.dispose]()
    watched.letIn('/a')
    await jest.advanceTimersByTimeAsync(2000)
    expect(state.looks).toBe(0)
  })
})

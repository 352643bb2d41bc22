import { describe, expect, test } from '@jest/globals'
import { meters, silentLogger, waitFor } from '@skipcast/runtime'
import type { WantedChannel } from './domain/plan.ts'
import { roster as rosterOf } from './roster.ts'
import { settling } from './settling.ts'
import { icecastTelemetry } from './telemetry.ts'

function fixture(primary = '/a') {
  const did: string[] = []
  const running = new Set<string>()
  const state = { did, running, active: '/a', asked: () => {}, fails: false }
  const roster = rosterOf(() => 0)
  const channel = { primary: { mount: primary, epoch: 1 } } as WantedChannel
  const settle = settling({
    admin: {
      mounts: async () => new Map(),
      async setFallback(mount, fallback) {
        state.asked()
        if (running.has(mount)) did.push(`${mount} falls back to ${fallback}`)
        return running.has(mount)
      },
      async moveListeners(from, to) {
        if (state.fails) throw new Error('away')
        did.push(`${from} to ${to}`)
        return true
      },
    },
    roster,
    signposts: { of: () => state.active, turn: async (_, mount) => void (did.push(`turn to ${mount}`), (state.active = mount)) },
    guards: { cover: () => {} },
    feeder: { isConnected: () => false },
    wanted: { channels: new Map([['/a', channel]]) },
    telemetry: icecastTelemetry(silentLogger(), meters()),
    onTurned: (mount) => void did.push(`look for stragglers of ${mount}`),
    onSettled: () => void did.push('settled'),
  })
  const begun = async () => {
    did.length = 0
    settle.begin('/a')
    await waitFor('it to be settled', () => !settle.isUnderWay('/a'), { timeoutMs: 5000, everyMs: 1 })
    return did
  }
  const plays = (mount: string) => {
    roster.look()(
      new Map([...roster.engines, mount].map((each) => [each, { listeners: 0, fallback: null, format: 'mp3' }])),
      () => false,
    )
    running.add(mount)
  }
  return { state, roster, settle, begun, plays }
}

describe('settling', () => {
  test('a source that runs gets its fallback and its listeners', async () => {
    const { begun, plays } = fixture()
    plays('/a')
    expect(await begun()).toEqual(['/a falls back to /w/a', '/w/a to /a', 'settled'])
  })

  test('waits for a source that was let in and does not run yet', async () => {
    const { state, roster, begun } = fixture()
    roster.expect('/a', 'engine')
    let asked = 0
    state.asked = () => void (++asked > 5 && state.running.add('/a'))
    expect(await begun()).toEqual(['/a falls back to /w/a', '/w/a to /a', 'settled'])
    expect(roster.engines.has('/a')).toBe(true)
  })

  test('silence fetches nobody', async () => {
    const { state, roster, begun } = fixture()
    roster.expect('/a', 'silence')
    state.running.add('/a')
    expect(await begun()).toEqual(['/a falls back to /w/a', '/a falls back to /w/a', 'settled'])
  })

  test('the primary on the other mount gets newcomers and listeners, whoever plays where they are', async () => {
    const { begun, plays } = fixture('/w/a')
    plays('/a')
    plays('/w/a')
    expect(await begun()).toEqual([
      '/a falls back to /w/a',
      '/w/a falls back to /a',
      'turn to /w/a',
      'look for stragglers of /a',
      '/a to /w/a',
      'settled',
    ])
  })

  test('where two engines play, listeners of the second are left alone, unless some may be astray', async () => {
    const { begun, plays, settle } = fixture()
    plays('/a')
    plays('/w/a')
    expect(await begun()).not.toContain('/w/a to /a')
    settle.fetch('/a')
    expect(await begun()).toContain('/w/a to /a')
    expect(await begun()).not.toContain('/w/a to /a')
  })

  test('what failed is told, and nobody who is astray is forgotten', async () => {
    const { begun, plays, settle, state } = fixture('/w/a')
    plays('/a')
    plays('/w/a')
    state.fails = true
    expect(await begun()).not.toContain('settled')
    expect([settle.takeFailed(), settle.takeFailed()]).toEqual([['/a'], []])
    state.fails = false
    expect(await begun()).toContain('/a to /w/a')
  })

  test('begun anew, the first attempt ends', async () => {
    const { settle, plays, state } = fixture()
    plays('/a')
    settle.begin('/a')
    settle.begin('/a')
    await waitFor('it to be settled', () => !settle.isUnderWay('/a'), { timeoutMs: 5000, everyMs: 1 })
    expect(state.did.filter((each) => each === 'settled')).toHaveLength(1)
  })

  test('nobody waits where nothing is under way', async () => {
    await fixture().settle.done('/b', 60_000)
  })
})

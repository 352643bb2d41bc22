import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { StartStream, Track } from '@skipcast/contracts'
import { isAlive, runCommand, waitFor } from '@skipcast/runtime'
import { hears, openListener, temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { enginesOf, holderIn, rig, type Rig } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'

// One bad channel, and what its neighbours hear of that.

const TIMEOUT_MS = 30_000

let icecast: TestIcecast
let home: TemporaryHome
let subject: Rig
let owned: AsyncDisposableStack
let low: Track
let high: Track

beforeAll(async () => {
  icecast = await testIcecast()
}, 60_000)
afterAll(async () => {
  await icecast[Symbol.asyncDispose]()
})
beforeEach(async () => {
  owned = new AsyncDisposableStack()
  home = owned.use(await temporaryHome())
  owned.defer(async () => {
    for (const engine of await enginesOf(home.path)) if (isAlive(engine)) process.kill(engine.pid, 'SIGKILL')
  })
  subject = owned.use(rig(home, { ICECAST_PORT: `${icecast.port}`, AGENT_RESYNC_MS: '500', CHANNELS_PER_ENGINE: '2' }))
  low = await subject.tone('low', { frequencyHz: 440, seconds: 3 })
  high = await subject.tone('high', { frequencyHz: 880, seconds: 3 })
}, 60_000)
afterEach(async () => {
  await owned.disposeAsync()
}, 60_000)

const aChannel = (id: string, overrides: Partial<StartStream> = {}) =>
  aStart(id, { source_token: SOURCE_PASSWORD, tracks: [low], ...overrides })
const onAir = (channelId: string, since = 0) =>
  subject.until(channelId, 'on air', (status) => status.phase === 'on_air' && status.since >= since, TIMEOUT_MS)
const failing = (channelId: string, code: string) =>
  subject.until(channelId, code, ({ phase, last_error }) => phase === 'failing' && last_error?.code === code, TIMEOUT_MS)

describe('one bad channel', () => {
  test('that gets stuck in its engine is taken out of it and tried in another; its neighbour hears nothing of it', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('good'), aChannel('stuck', { tracks: [low, high] }))
    await onAir('good')
    await onAir('stuck')
    const [holder, neighbours] = [await holderIn(home.path, 'stuck'), await holderIn(home.path, 'good')]
    expect(holder.id).toBe(neighbours.id)
    await using listener = await openListener(icecast.urlOf('/good'), {})
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })

    // A file that never opens, as on a file system that hangs.
    const file = join(home.path, 'agent/cache', `${high.sha256}.mp3`)
    await rm(file)
    await runCommand('mkfifo', ['-m', '644', file], { timeoutMs: 5000 })
    const stuck = await failing('stuck', 'CHANNEL_STUCK')
    await onAir('stuck', stuck.since)
    expect((await holderIn(home.path, 'stuck')).id).not.toBe(holder.id)
    expect((await holderIn(home.path, 'good')).pid).toBe(neighbours.pid)
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(500)
    expect(listener.closures).toEqual([])
  }, 90_000)

  test('that makes its engine crash again and again is parted from its neighbour, then left alone until it is changed', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('good'), aChannel('bad'))
    await onAir('good')
    await onAir('bad')
    expect((await holderIn(home.path, 'bad')).id).toBe((await holderIn(home.path, 'good')).id)
    let crashes = 0
    const shared = async (pid: number) => (await holderIn(home.path, 'good').catch(() => null))?.pid === pid
    let sharedCrashes = 0
    await waitFor(
      'the quarantine',
      async () => {
        if (subject.statuses('bad').at(-1)?.last_error?.code === 'CHANNEL_QUARANTINED') return true
        const holder = await holderIn(home.path, 'bad').catch(() => null)
        if (!holder || !isAlive(holder) || subject.statuses('bad').at(-1)?.phase !== 'on_air') return false
        crashes += 1
        if (await shared(holder.pid)) sharedCrashes += 1
        process.kill(holder.pid, 'SIGKILL')
        await waitFor('it to be noticed', () => subject.statuses('bad').at(-1)?.phase === 'failing', { timeoutMs: TIMEOUT_MS })
        return false
      },
      { timeoutMs: 60_000 },
    )
    const failures = subject.events.filter(({ event, channel_id }) => event === 'channel_failed' && channel_id === 'good')
    console.log(`${crashes} crashes until the quarantine; the neighbour was in ${sharedCrashes} of them`)
    expect(sharedCrashes).toBeLessThanOrEqual(2)
    expect(failures.length).toBeLessThanOrEqual(2)
    await onAir('good')
    expect(subject.statuses('bad').at(-1)!.last_error!.message).toContain('left alone')

    const shown = await subject.meters()
    expect(shown).toMatch(new RegExp(`^skipcast_agent_engines_lost_total ${crashes}$`, 'm'))
    expect(shown).toContain('skipcast_agent_channels{phase="on_air"} 1')
    expect(shown).toContain('skipcast_agent_phase_changes_total{phase="failing",code="CHANNEL_QUARANTINED"} 1')
    expect(shown).toMatch(/^skipcast_agent_media_cache_bytes [1-9]/m)
    expect(shown).toMatch(/^skipcast_agent_pass_seconds_count\{pass="reconcile"\} [1-9]/m)

    const mark = Date.now()
    await subject.want(aChannel('bad', { generation: 2 }))
    await onAir('bad', mark)
  }, 120_000)
})

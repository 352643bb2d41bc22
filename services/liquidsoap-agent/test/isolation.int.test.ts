import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { isAlive, runCommand, waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears } from '@skipcast/testing'
import { agentSuite } from './agent-suite.ts'

// One bad channel, and what its neighbours hear of that.

const TIMEOUT_MS = 30_000
const here = agentSuite({ variables: { CHANNELS_PER_ENGINE: '2' }, trackSeconds: 3 })

const failing = (channelId: string, code: string) =>
  here.rig.until(channelId, code, ({ phase, last_error }) => phase === 'failing' && last_error?.code === code, TIMEOUT_MS)

describe('one bad channel', () => {
  test('that gets stuck in its engine is taken out of it and tried in another; its neighbour hears nothing of it', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('good'), here.aChannel('stuck', { tracks: [here.low, here.high] }))
    await here.onAir('good')
    await here.onAir('stuck')
    const [holder, neighbours] = [await here.holderOf('stuck'), await here.holderOf('good')]
    expect(holder.id).toBe(neighbours.id)
    await using listener = await here.listen('/good')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })

    // A file that never opens, as on a file system that hangs.
    const file = join(here.home.path, 'agent/cache', `${here.high.sha256}.mp3`)
    await rm(file)
    await runCommand('mkfifo', ['-m', '644', file], { timeoutMs: 5000 })
    const stuck = await failing('stuck', 'CHANNEL_STUCK')
    await here.onAir('stuck', stuck.since)
    expect((await here.holderOf('stuck')).id).not.toBe(holder.id)
    expect((await here.holderOf('good')).pid).toBe(neighbours.pid)
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(PLAYER_RESERVE_MS)
    expect(listener.closures).toEqual([])
  }, 90_000)

  test('that makes its engine crash again and again is parted from its neighbour, then left alone until it is changed', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('good'), here.aChannel('bad'))
    await here.onAir('good')
    await here.onAir('bad')
    expect((await here.holderOf('bad')).id).toBe((await here.holderOf('good')).id)
    let crashes = 0
    const shared = async (pid: number) => (await here.holderOf('good').catch(() => null))?.pid === pid
    let sharedCrashes = 0
    await waitFor(
      'the quarantine',
      async () => {
        if (here.rig.statuses('bad').at(-1)?.last_error?.code === 'CHANNEL_QUARANTINED') return true
        const holder = await here.holderOf('bad').catch(() => null)
        if (!holder || !isAlive(holder) || here.rig.statuses('bad').at(-1)?.phase !== 'on_air') return false
        crashes += 1
        if (await shared(holder.pid)) sharedCrashes += 1
        process.kill(holder.pid, 'SIGKILL')
        await waitFor('it to be noticed', () => here.rig.statuses('bad').at(-1)?.phase === 'failing', { timeoutMs: TIMEOUT_MS })
        return false
      },
      { timeoutMs: 60_000 },
    )
    const codes = here.rig.events.flatMap((event) =>
      event.event === 'channel_failed' && event.channel_id === 'good' ? [event.error.code] : [],
    )
    console.log(`${crashes} crashes until the quarantine; the neighbour was in ${sharedCrashes} of them: ${codes.join(', ')}`)
    expect(sharedCrashes).toBeLessThanOrEqual(2)
    expect(codes.filter((code) => code === 'ENGINE_CRASHED').length).toBeLessThanOrEqual(2)
    await here.onAir('good')
    expect(here.rig.statuses('bad').at(-1)!.last_error!.message).toContain('left alone')

    const shown = await here.rig.meters()
    expect(shown).toMatch(new RegExp(`^skipcast_agent_engines_lost_total ${crashes}$`, 'm'))
    expect(shown).toContain('skipcast_agent_channels{phase="on_air"} 1')
    expect(shown).toContain('skipcast_agent_phase_changes_total{phase="failing",code="CHANNEL_QUARANTINED"} 1')
    expect(shown).toMatch(/^skipcast_agent_media_cache_bytes [1-9]/m)
    expect(shown).toMatch(/^skipcast_agent_pass_seconds_count\{pass="reconcile"\} [1-9]/m)

    const mark = Date.now()
    await here.rig.want(here.aChannel('bad', { generation: 2 }))
    await here.onAir('bad', mark)
  }, 120_000)
})

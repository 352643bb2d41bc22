import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { StartStream } from '@skipcast/contracts'
import { childUser, isAlive, waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears } from '@skipcast/testing'
import { agentSuite } from './agent-suite.ts'
import { SOURCE_PASSWORD } from './test-icecast.ts'

const TIMEOUT_MS = 20_000
const LIMITS = { ENGINE_MEMORY_MB: '2000', ENGINE_OPEN_FILES: '1234', ENGINE_NICENESS: '3' }
const here = agentSuite({ variables: LIMITS, trackSeconds: 6 })

const stop = ({ channel_id, channel_slug, mount, epoch, generation, ...rest }: StartStream) => {
  const { id, version, timestamp, occurred_at, application, environment, metadata } = rest
  const envelope = { id, version, timestamp, occurred_at, application, environment, metadata }
  const which = { channel_id, channel_slug, mount, epoch, generation: generation + 1 }
  return { ...envelope, ...which, event: 'stop_stream', server_id: 'here' } as const
}

describe('the agent', () => {
  test('puts a wanted channel on air, tells so once it is heard, and lets it go when stopped', async () => {
    here.owned.use(await here.rig.start())
    const channel = here.aChannel('one')
    await here.rig.want(channel)
    const status = await here.onAir('one')
    expect(status).toMatchObject({ server_id: 'here', epoch: 1, generation: 1, mount: '/one', monitors: 1, last_error: null })
    expect(status.now_playing).toMatchObject({ media_id: 'low', title: 'Title low', artist: 'Artist' })
    expect(here.rig.statuses('one')[0]).toMatchObject({ phase: 'starting', now_playing: null })
    await using listener = await here.listen('/one')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })

    await here.rig.want(stop(channel))
    expect(await here.rig.until('one', 'off', ({ phase }) => phase === 'off')).toMatchObject({ generation: 2, now_playing: null })
    await waitFor('all events', () => here.namesOf('one').includes('channel_stopped'), { timeoutMs: TIMEOUT_MS })
    expect(here.namesOf('one').sort()).toEqual(['channel_started', 'channel_stopped', 'track_started'])
    const told = here.rig.statuses('one').length
    await here.rig.want(here.aChannel('two'))
    await here.onAir('two')
    expect(here.rig.statuses('one')).toHaveLength(told)
  }, 60_000)

  test('changes the plan of a channel without touching what plays', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('plan'))
    await here.onAir('plan')
    await using listener = await here.listen('/plan')
    await here.rig.want(here.aChannel('plan', { generation: 2, tracks: [here.low, here.high] }))
    await hears(listener, 880, { timeoutMs: TIMEOUT_MS })
    expect(listener.closures).toEqual([])
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(PLAYER_RESERVE_MS)
    const now = await here.rig.until('plan', 'at the second track', ({ now_playing }) => now_playing?.media_id === 'high')
    expect(now).toMatchObject({ generation: 2, phase: 'on_air' })
    expect(here.namesOf('plan').filter((name) => name === 'channel_started')).toHaveLength(1)
  }, 60_000)

  test('takes a new name over without an interruption, and replaces a channel without calling that a failure', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('renamed'))
    const first = await here.onAir('renamed')
    await using listener = await here.listen('/renamed')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const texts = { name: 'Another', description: 'Another', genre: 'Another' }
    await here.rig.want(here.aChannel('renamed', { generation: 2, ...texts }))
    const renamed = await here.rig.until('renamed', 'renamed', ({ generation }) => generation === 2)
    expect(renamed).toMatchObject({ phase: 'on_air', since: first.since })
    await here.rig.until('renamed', 'past a track', ({ now_playing }) => now_playing!.started_at > first.now_playing!.started_at)
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(PLAYER_RESERVE_MS)
    expect(listener.closures).toEqual([])

    await here.rig.want(here.aChannel('renamed', { generation: 3, ...texts, mode: 'encode' }))
    await waitFor('the second start', () => here.namesOf('renamed').filter((name) => name === 'channel_started').length === 2, {
      timeoutMs: TIMEOUT_MS,
    })
    await here.onAir('renamed')
    const phases = here.rig.statuses('renamed').map(({ phase }) => phase)
    expect(new Set(phases)).toEqual(new Set(['starting', 'on_air']))
    expect(here.namesOf('renamed').filter((name) => name !== 'track_started')).toEqual(['channel_started', 'channel_started'])
  }, 60_000)

  test('is followed by an agent that adopts the engines, and nobody hears it', async () => {
    const first = await here.rig.start('hand-over')
    await here.rig.want(here.aChannel('adopted'))
    const before = await here.onAir('adopted')
    await using listener = await here.listen('/adopted')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const processes = await here.engines()
    await first[Symbol.asyncDispose]()
    const mark = performance.now()
    const told = here.rig.statuses('adopted').length

    here.owned.use(await here.rig.start())
    await waitFor('the new agent to tell', () => here.rig.statuses('adopted').length >= told + 2, { timeoutMs: TIMEOUT_MS })
    expect(
      here.rig
        .statuses('adopted')
        .slice(told)
        .map(({ phase, since }) => ({ phase, since })),
    ).toEqual(
      Array.from({ length: here.rig.statuses('adopted').length - told }, () => ({ phase: 'on_air', since: before.since })),
    )
    expect(new Set((await here.engines()).map(({ pid }) => pid))).toEqual(new Set(processes.map(({ pid }) => pid)))
    expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
    expect(listener.closures).toEqual([])
    expect(here.namesOf('adopted').filter((name) => name === 'channel_started')).toHaveLength(1)
  }, 60_000)

  test('lets channels leave the engine of an older script one by one, with hardly a gap', async () => {
    const first = await here.rig.start('hand-over')
    await here.rig.want(here.aChannel('upgraded'))
    await here.onAir('upgraded')
    await first[Symbol.asyncDispose]()
    const old = await here.holderOf('upgraded')
    const identity = join(here.home.path, 'agent/engines', old.id, 'identity.json')
    for (const { id, ...known } of await here.engines())
      await writeFile(join(here.home.path, 'agent/engines', id, 'identity.json'), JSON.stringify({ ...known, tag: 'older' }))
    expect(JSON.parse(await readFile(identity, 'utf8'))).toMatchObject({ tag: 'older' })
    await using listener = await here.listen('/upgraded')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const mark = performance.now()
    here.owned.use(await here.rig.start())
    await waitFor('the old engine to end', () => !isAlive(old), { timeoutMs: TIMEOUT_MS })
    await here.onAir('upgraded')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    console.log(`upgraded: ${Math.round(listener.gapSince(mark))} ms without a byte, with a listener that comes back`)
    expect(here.namesOf('upgraded')).not.toContain('channel_failed')
    expect((await here.holderOf('upgraded')).id).not.toBe(old.id)
  }, 60_000)

  test('leaves engines alone while it does not know what is wanted', async () => {
    const first = await here.rig.start('hand-over')
    await here.rig.want(here.aChannel('kept'))
    await here.onAir('kept')
    await first[Symbol.asyncDispose]()
    here.rig.bus.outage(true)
    await using listener = await here.listen('/kept')
    const mark = performance.now()
    here.owned.use(await here.rig.start())
    await waitFor('a few passes', () => performance.now() > mark + 2000, { timeoutMs: 5000 })
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    expect(listener.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
    here.rig.bus.outage(false)
    await here.onAir('kept')
  }, 60_000)

  test('ends everything when told to stop, and says so', async () => {
    const agent = await here.rig.start('stop')
    await here.rig.want(here.aChannel('ended'))
    await here.onAir('ended')
    const processes = await here.engines()
    await agent[Symbol.asyncDispose]()
    expect(processes.filter(isAlive)).toEqual([])
    expect(await readdir(join(here.home.path, 'agent/engines'))).toEqual([])
    const last = await here.rig.until('ended', 'failing', ({ phase }) => phase === 'failing')
    expect(last.last_error).toMatchObject({ code: 'SERVER_STOPPED' })
  }, 60_000)

  test('runs engines as the unprivileged user, without our descriptors and groups (I3, I4), within limits', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('bounded'))
    await here.onAir('bounded')
    const owner = childUser()
    for (const { pid, id } of await here.engines()) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8')
      if (owner) {
        expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).toEqual([`${owner.uid}`, `${owner.uid}`])
        expect(
          /^Groups:[ \t]*(.*)$/m
            .exec(status)?.[1]
            ?.trim()
            .split(/\s+/)
            .filter((group) => group !== '' && group !== `${owner.gid}`),
        ).toEqual([])
      }
      const names = await readdir(`/proc/${pid}/fd`)
      const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
      const own = join(here.home.path, 'agent/engines', id)
      const foreign = targets.filter(
        (target) =>
          target.startsWith('/') &&
          !target.startsWith(own) &&
          !target.startsWith(join(here.home.path, 'agent/cache')) &&
          target !== '/dev/null',
      )
      expect(foreign).toEqual([])
      const limits = await readFile(`/proc/${pid}/limits`, 'utf8')
      expect(limits).toMatch(/^Max open files\s+1234\s+1234/m)
      expect(limits).toMatch(new RegExp(`^Max data size\\s+${2000 * 1024 * 1024}`, 'm'))
      expect(getPriority(pid)).toBe(3)
      const variables = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').filter(Boolean)
      expect(new Set(variables.map((variable) => variable.split('=')[0]))).toEqual(new Set(['LANG', 'PATH', 'SKIPCAST_DAEMON']))
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(SOURCE_PASSWORD)
    }
  }, 60_000)
})

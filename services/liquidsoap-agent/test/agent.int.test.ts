import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { StartStream, StreamStatus, Track } from '@skipcast/contracts'
import { childUser, isAlive, waitFor } from '@skipcast/runtime'
import { hears, openListener, temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { enginesOf, holderIn, rig, type Rig } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'

const TIMEOUT_MS = 20_000
const LIMITS = { ENGINE_MEMORY_MB: '2000', ENGINE_OPEN_FILES: '1234', ENGINE_NICENESS: '3' }

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
  // After the agents, which would only start others.
  owned.defer(async () => {
    for (const engine of await engines()) if (isAlive(engine)) process.kill(engine.pid, 'SIGKILL')
  })
  subject = owned.use(rig(home, { ICECAST_PORT: `${icecast.port}`, AGENT_RESYNC_MS: '500', ...LIMITS }))
  low = await subject.tone('low', { frequencyHz: 440, seconds: 6 })
  high = await subject.tone('high', { frequencyHz: 880, seconds: 6 })
}, 60_000)
afterEach(async () => {
  await owned.disposeAsync()
}, 60_000)

const engines = () => enginesOf(home.path)
const holderOf = (channelId: string) => holderIn(home.path, channelId)

const aChannel = (id: string, overrides: Partial<StartStream> = {}) =>
  aStart(id, { source_token: SOURCE_PASSWORD, tracks: [low], ...overrides })

const stop = ({ channel_id, channel_slug, mount, epoch, generation, ...rest }: StartStream) => {
  const { id, version, timestamp, occurred_at, application, environment, metadata } = rest
  const envelope = { id, version, timestamp, occurred_at, application, environment, metadata }
  const which = { channel_id, channel_slug, mount, epoch, generation: generation + 1 }
  return { ...envelope, ...which, event: 'stop_stream', server_id: 'here' } as const
}

const onAir = (channelId: string) => subject.until(channelId, 'on air', ({ phase }) => phase === 'on_air')
const listen = (mount: string) => openListener(icecast.urlOf(mount), { reconnectAfterMs: 50 })
const namesOf = (channelId: string) =>
  subject.events.filter(({ channel_id }) => channel_id === channelId).map(({ event }) => event)

describe('the agent', () => {
  test('puts a wanted channel on air, tells so once it is heard, and lets it go when stopped', async () => {
    owned.use(await subject.start())
    const channel = aChannel('one')
    await subject.want(channel)
    const status = await onAir('one')
    expect(status).toMatchObject({ server_id: 'here', epoch: 1, generation: 1, mount: '/one', monitors: 1, last_error: null })
    expect(status.now_playing).toMatchObject({ media_id: 'low', title: 'Title low', artist: 'Artist' })
    expect(subject.statuses('one')[0]).toMatchObject({ phase: 'starting', now_playing: null })
    await using listener = await listen('/one')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })

    await subject.want(stop(channel))
    expect(await subject.until('one', 'off', ({ phase }) => phase === 'off')).toMatchObject({ generation: 2, now_playing: null })
    await waitFor('all events', () => namesOf('one').includes('channel_stopped'), { timeoutMs: TIMEOUT_MS })
    expect(namesOf('one').sort()).toEqual(['channel_started', 'channel_stopped', 'track_started'])
    const told = subject.statuses('one').length
    await subject.want(aChannel('two'))
    await onAir('two')
    expect(subject.statuses('one')).toHaveLength(told)
  }, 60_000)

  test('changes the plan of a channel without touching what plays', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('plan'))
    await onAir('plan')
    await using listener = await listen('/plan')
    await subject.want(aChannel('plan', { generation: 2, tracks: [low, high] }))
    await hears(listener, 880, { timeoutMs: TIMEOUT_MS })
    expect(listener.closures).toEqual([])
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(500)
    const now = await subject.until('plan', 'at the second track', ({ now_playing }) => now_playing?.media_id === 'high')
    expect(now).toMatchObject({ generation: 2, phase: 'on_air' })
    expect(namesOf('plan').filter((name) => name === 'channel_started')).toHaveLength(1)
  }, 60_000)

  test('takes a new name over without an interruption, and replaces a channel without calling that a failure', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('renamed'))
    const first = await onAir('renamed')
    await using listener = await listen('/renamed')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const texts = { name: 'Another', description: 'Another', genre: 'Another' }
    await subject.want(aChannel('renamed', { generation: 2, ...texts }))
    const renamed = await subject.until('renamed', 'renamed', ({ generation }) => generation === 2)
    expect(renamed).toMatchObject({ phase: 'on_air', since: first.since })
    await subject.until('renamed', 'past a track', ({ now_playing }) => now_playing!.started_at > first.now_playing!.started_at)
    expect(listener.gapSince(listener.firstByteAt!)).toBeLessThan(500)
    expect(listener.closures).toEqual([])

    await subject.want(aChannel('renamed', { generation: 3, ...texts, mode: 'encode' }))
    await waitFor('the second start', () => namesOf('renamed').filter((name) => name === 'channel_started').length === 2, {
      timeoutMs: TIMEOUT_MS,
    })
    await onAir('renamed')
    const phases = subject.statuses('renamed').map(({ phase }) => phase)
    expect(new Set(phases)).toEqual(new Set(['starting', 'on_air']))
    expect(namesOf('renamed').filter((name) => name !== 'track_started')).toEqual(['channel_started', 'channel_started'])
  }, 60_000)

  test('is followed by an agent that adopts the engines, and nobody hears it', async () => {
    const first = await subject.start('hand-over')
    await subject.want(aChannel('adopted'))
    const before = await onAir('adopted')
    await using listener = await listen('/adopted')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const processes = await engines()
    await first[Symbol.asyncDispose]()
    const mark = performance.now()
    const told = subject.statuses('adopted').length

    owned.use(await subject.start())
    await waitFor('the new agent to tell', () => subject.statuses('adopted').length >= told + 2, { timeoutMs: TIMEOUT_MS })
    expect(
      subject
        .statuses('adopted')
        .slice(told)
        .map(({ phase, since }) => ({ phase, since })),
    ).toEqual(Array.from({ length: subject.statuses('adopted').length - told }, () => ({ phase: 'on_air', since: before.since })))
    expect(new Set((await engines()).map(({ pid }) => pid))).toEqual(new Set(processes.map(({ pid }) => pid)))
    expect(listener.gapSince(mark)).toBeLessThan(500)
    expect(listener.closures).toEqual([])
    expect(namesOf('adopted').filter((name) => name === 'channel_started')).toHaveLength(1)
  }, 60_000)

  test('that did not run for nine seconds tells nothing but the truth afterwards', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('stalled'))
    const before = await onAir('stalled')
    await using listener = await listen('/stalled')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const holder = await holderOf('stalled')
    const told = subject.statuses('stalled').length
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000)
    const mark = performance.now()
    await waitFor('the agent to be sure again', () => performance.now() > mark + 4000, { timeoutMs: 5000 })
    const after = subject.statuses('stalled').slice(told)
    expect(after.length).toBeGreaterThan(0)
    expect(after.map(({ phase, since }) => ({ phase, since }))).toEqual(
      after.map(() => ({ phase: 'on_air', since: before.since })),
    )
    expect(namesOf('stalled')).not.toContain('channel_failed')
    expect(isAlive(holder)).toBe(true)
    expect(listener.closures).toEqual([])
  }, 60_000)

  test('lets channels leave the engine of an older script one by one, with hardly a gap', async () => {
    const first = await subject.start('hand-over')
    await subject.want(aChannel('upgraded'))
    await onAir('upgraded')
    await first[Symbol.asyncDispose]()
    const old = await holderOf('upgraded')
    const identity = join(home.path, 'agent/engines', old.id, 'identity.json')
    for (const { id, ...known } of await engines())
      await writeFile(join(home.path, 'agent/engines', id, 'identity.json'), JSON.stringify({ ...known, tag: 'older' }))
    expect(JSON.parse(await readFile(identity, 'utf8'))).toMatchObject({ tag: 'older' })
    await using listener = await listen('/upgraded')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const mark = performance.now()
    owned.use(await subject.start())
    await waitFor('the old engine to end', () => !isAlive(old), { timeoutMs: TIMEOUT_MS })
    await onAir('upgraded')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    console.log(`upgraded: ${Math.round(listener.gapSince(mark))} ms without a byte, with a listener that comes back`)
    expect(namesOf('upgraded')).not.toContain('channel_failed')
    expect((await holderOf('upgraded')).id).not.toBe(old.id)
  }, 60_000)

  test('leaves engines alone while it does not know what is wanted', async () => {
    const first = await subject.start('hand-over')
    await subject.want(aChannel('kept'))
    await onAir('kept')
    await first[Symbol.asyncDispose]()
    subject.bus.outage(true)
    await using listener = await listen('/kept')
    const mark = performance.now()
    owned.use(await subject.start())
    await waitFor('a few passes', () => performance.now() > mark + 2000, { timeoutMs: 5000 })
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    expect(listener.gapSince(mark)).toBeLessThan(500)
    subject.bus.outage(false)
    await onAir('kept')
  }, 60_000)

  test('brings a channel back when its engine was killed, says that it failed and that it started', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('killed', { tracks: [low, high] }))
    await subject.until('killed', 'heard', ({ now_playing }) => now_playing?.media_id === 'low')
    await using listener = await listen('/killed')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const mark = performance.now()
    for (const { pid } of await engines()) process.kill(pid, 'SIGKILL')
    const failed = await subject.until('killed', 'failing', ({ phase }) => phase === 'failing')
    expect(failed.last_error).toMatchObject({ code: 'ENGINE_CRASHED' })
    await subject.until('killed', 'on air again', ({ phase, since }) => phase === 'on_air' && since > failed.since)
    await hears(listener, 880, { timeoutMs: TIMEOUT_MS })
    // With the next track, not with the same opening again.
    const plays = () => subject.events.flatMap((event) => (event.event === 'track_started' ? [event.media_id] : []))
    await waitFor('the second track play', () => plays().length > 1, { timeoutMs: TIMEOUT_MS })
    expect(plays().slice(0, 2)).toEqual(['low', 'high'])
    console.log(`engines killed: ${Math.round(listener.gapSince(mark))} ms without a byte, with a listener that comes back`)
    await waitFor('all events', () => namesOf('killed').filter((name) => name === 'channel_started').length === 2, {
      timeoutMs: TIMEOUT_MS,
    })
    expect(namesOf('killed').filter((name) => name !== 'track_started')).toEqual([
      'channel_started',
      'channel_failed',
      'channel_started',
    ])
  }, 60_000)

  test('replaces a frozen engine that is not heard any more within a second and a half', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('frozen'))
    await onAir('frozen')
    await using listener = await listen('/frozen')
    const gaps: number[] = []
    for (let round = 0; round < 3; round++) {
      await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
      await onAir('frozen')
      const holder = await holderOf('frozen')
      const wallMark = Date.now()
      const mark = performance.now()
      process.kill(holder.pid, 'SIGSTOP')
      await waitFor('the engine to be ended', () => !isAlive(holder), { timeoutMs: TIMEOUT_MS, everyMs: 5 })
      const endedMs = performance.now() - mark
      await waitFor('the programme', () => listener.arrivals.at(-1)! > mark + endedMs, { timeoutMs: TIMEOUT_MS, everyMs: 5 })
      gaps.push(listener.gapSince(mark))
      console.log(
        `engine frozen: ended (and the filler's turn) after ${Math.round(endedMs)} ms, programme after ${Math.round(gaps.at(-1)!)} ms`,
      )
      const isBack = ({ phase, since }: StreamStatus) => phase === 'on_air' && since > wallMark
      await subject.until('frozen', 'on air again', isBack)
    }
    expect(Math.min(...gaps)).toBeLessThan(2500)
    const told = namesOf('frozen').filter((name) => name === 'channel_failed' || name === 'channel_started')
    expect(told.slice(0, 5)).toEqual([
      'channel_started',
      'channel_failed',
      'channel_started',
      'channel_failed',
      'channel_started',
    ])
  }, 60_000)

  test('tells why a channel is not heard, or lacks something, and recovers by itself', async () => {
    owned.use(await subject.start())
    const missing = { ...low, media_id: 'missing', sha256: 'f'.repeat(64) }
    const damaged = await subject.file('damaged', Buffer.alloc(50_000, 'no music'), 3)
    const truths: string[] = []
    const truth = async (channelId: string, phase: StreamStatus['phase'], code: string | null, mark: number) => {
      const isTrue = (status: StreamStatus) => status.phase === phase && (status.last_error?.code ?? null) === code
      const status = await subject.until(channelId, `${phase} ${code}`, (told) => isTrue(told) && told.occurred_at >= mark)
      truths.push(`${phase} ${code}: ${status.occurred_at - mark} ms`)
      return status
    }
    let mark = Date.now()
    await subject.want(
      aChannel('no-tracks', { tracks: [] }),
      aChannel('no-file', { tracks: [missing] }),
      aChannel('damaged', { tracks: [damaged] }),
      aChannel('refused', { source_token: 'wrong' }),
      aChannel('part', { tracks: [missing, high] }),
      aChannel('spoiled', { tracks: [damaged, low] }),
    )
    await truth('no-tracks', 'failing', 'NO_TRACKS', mark)
    await truth('no-file', 'failing', 'MEDIA_MISSING', mark)
    await truth('refused', 'failing', 'SOURCE_REFUSED', mark)
    expect((await truth('part', 'on_air', 'TRACKS_MISSING', mark)).last_error!.message).toContain('1 of 2')
    await truth('spoiled', 'on_air', 'TRACKS_UNPLAYABLE', mark)
    await truth('damaged', 'failing', 'NOTHING_PLAYABLE', mark)
    mark = Date.now()
    await subject.want(
      aChannel('refused', { generation: 2, epoch: 2 }),
      aChannel('no-tracks', { generation: 2 }),
      aChannel('part', { generation: 2, tracks: [high] }),
    )
    for (const channelId of ['refused', 'no-tracks', 'part']) await truth(channelId, 'on_air', null, mark)
    expect(await subject.until('part', 'heard', ({ now_playing }) => now_playing !== null)).toMatchObject({
      now_playing: { media_id: 'high' },
    })

    mark = Date.now()
    icecast.freeze()
    await truth('part', 'failing', 'NOT_HEARD', mark).finally(() => icecast.thaw())
    await truth('part', 'on_air', null, mark)
    mark = Date.now()
    await icecast.stop()
    await truth('part', 'failing', 'ICECAST_UNAVAILABLE', mark)
    mark = Date.now()
    await icecast.start()
    await truth('part', 'on_air', null, mark)
    console.log(`from the fact to the status:\n  ${truths.join('\n  ')}`)
  }, 90_000)

  test('says that silence is silence, also where nothing is decoded, and which track a listener hears by then', async () => {
    owned.use(await subject.start())
    const silence = await subject.tone('silence', { frequencyHz: 440, seconds: 10, levelDbfs: -Infinity })
    await subject.want(
      aChannel('quiet', { tracks: [low, silence] }),
      aChannel('encoded', { tracks: [low, silence], mode: 'encode' }),
    )
    for (const channelId of ['quiet', 'encoded']) {
      await onAir(channelId)
      const quiet = await subject.until(channelId, 'silent', ({ phase }) => phase === 'silent')
      expect(quiet).toMatchObject({ now_playing: { media_id: 'silence' }, last_error: { code: 'SILENCE' } })
      const play = () => subject.events.find((event) => event.id === quiet.now_playing!.track_play_id)
      await waitFor('the track play', play, { timeoutMs: TIMEOUT_MS })
      const began = quiet.now_playing!.started_at
      expect(play()).toMatchObject({ event: 'track_started', media_id: 'silence', started_at: began })
      console.log(`${channelId}: silent ${quiet.since - began} ms after listeners heard the silent track begin`)
    }
  }, 60_000)

  test('ends everything when told to stop, and says so', async () => {
    const agent = await subject.start('stop')
    await subject.want(aChannel('ended'))
    await onAir('ended')
    const processes = await engines()
    await agent[Symbol.asyncDispose]()
    expect(processes.filter(isAlive)).toEqual([])
    expect(await readdir(join(home.path, 'agent/engines'))).toEqual([])
    const last = await subject.until('ended', 'failing', ({ phase }) => phase === 'failing')
    expect(last.last_error).toMatchObject({ code: 'SERVER_STOPPED' })
  }, 60_000)

  test('starts without Liquidsoap and says what is missing', async () => {
    await using other = await temporaryHome()
    await using bare = rig(other, {
      ICECAST_PORT: `${icecast.port}`,
      LIQUIDSOAP_BIN: 'no-such-liquidsoap',
      AGENT_RESYNC_MS: '500',
    })
    await using agent = await bare.start('stop')
    const track = await bare.tone('low', { frequencyHz: 440, seconds: 1 })
    await bare.want(aChannel('bare', { tracks: [track] }))
    const status = await bare.until('bare', 'failing', ({ phase }) => phase === 'failing')
    expect(status.last_error).toMatchObject({ code: 'ENGINE_START_FAILED' })
    expect(bare.health.read()['liquidsoap']).toMatchObject({ ok: false })
    expect(agent).toBeDefined()
  }, 60_000)

  test('runs engines as the unprivileged user, without our descriptors and groups (I3, I4), within limits', async () => {
    owned.use(await subject.start())
    await subject.want(aChannel('bounded'))
    await onAir('bounded')
    const owner = childUser()
    for (const { pid, id } of await engines()) {
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
      const own = join(home.path, 'agent/engines', id)
      const foreign = targets.filter(
        (target) =>
          target.startsWith('/') &&
          !target.startsWith(own) &&
          !target.startsWith(join(home.path, 'agent/cache')) &&
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

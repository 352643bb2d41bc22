import { describe, expect, test } from '@jest/globals'
import type { StreamStatus } from '@skipcast/contracts'
import { isAlive, waitFor } from '@skipcast/runtime'
import { hears, temporaryHome } from '@skipcast/testing'
import { rig } from './agent-under-test.ts'
import { agentSuite } from './agent-suite.ts'

const TIMEOUT_MS = 20_000
const here = agentSuite({ variables: {}, trackSeconds: 6 })

describe('when things fail, the agent', () => {
  test('that did not run for nine seconds tells nothing but the truth afterwards', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('stalled'))
    const before = await here.onAir('stalled')
    await using listener = await here.listen('/stalled')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const holder = await here.holderOf('stalled')
    const told = here.rig.statuses('stalled').length
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000)
    const mark = performance.now()
    await waitFor('the agent to be sure again', () => performance.now() > mark + 4000, { timeoutMs: 5000 })
    const after = here.rig.statuses('stalled').slice(told)
    expect(after.length).toBeGreaterThan(0)
    expect(after.map(({ phase, since }) => ({ phase, since }))).toEqual(
      after.map(() => ({ phase: 'on_air', since: before.since })),
    )
    expect(here.namesOf('stalled')).not.toContain('channel_failed')
    expect(isAlive(holder)).toBe(true)
    expect(listener.closures).toEqual([])
  }, 60_000)

  test('brings a channel back when its engine was killed, says that it failed and that it started', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('killed', { tracks: [here.low, here.high] }))
    await here.rig.until('killed', 'heard', ({ now_playing }) => now_playing?.media_id === 'low')
    await using listener = await here.listen('/killed')
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const mark = performance.now()
    for (const { pid } of await here.engines()) process.kill(pid, 'SIGKILL')
    const failed = await here.rig.until('killed', 'failing', ({ phase }) => phase === 'failing')
    expect(failed.last_error).toMatchObject({ code: 'ENGINE_CRASHED' })
    await here.rig.until('killed', 'on air again', ({ phase, since }) => phase === 'on_air' && since > failed.since)
    await hears(listener, 880, { timeoutMs: TIMEOUT_MS })
    // With the next track, not with the same opening again.
    const plays = () => here.rig.events.flatMap((event) => (event.event === 'track_started' ? [event.media_id] : []))
    await waitFor('the second track play', () => plays().length > 1, { timeoutMs: TIMEOUT_MS })
    expect(plays().slice(0, 2)).toEqual(['low', 'high'])
    console.log(`engines killed: ${Math.round(listener.gapSince(mark))} ms without a byte, with a listener that comes back`)
    await waitFor('all events', () => here.namesOf('killed').filter((name) => name === 'channel_started').length === 2, {
      timeoutMs: TIMEOUT_MS,
    })
    expect(here.namesOf('killed').filter((name) => name !== 'track_started')).toEqual([
      'channel_started',
      'channel_failed',
      'channel_started',
    ])
  }, 60_000)

  test('replaces a frozen engine that is not heard any more within a second and a half', async () => {
    here.owned.use(await here.rig.start())
    await here.rig.want(here.aChannel('frozen'))
    await here.onAir('frozen')
    await using listener = await here.listen('/frozen')
    const gaps: number[] = []
    for (let round = 0; round < 3; round++) {
      await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
      await here.onAir('frozen')
      const holder = await here.holderOf('frozen')
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
      await here.rig.until('frozen', 'on air again', isBack)
    }
    expect(Math.min(...gaps)).toBeLessThan(2500)
    const told = here.namesOf('frozen').filter((name) => name === 'channel_failed' || name === 'channel_started')
    expect(told.slice(0, 5)).toEqual([
      'channel_started',
      'channel_failed',
      'channel_started',
      'channel_failed',
      'channel_started',
    ])
  }, 60_000)

  test('tells why a channel is not heard, or lacks something, and recovers by itself', async () => {
    here.owned.use(await here.rig.start())
    const missing = { ...here.low, media_id: 'missing', sha256: 'f'.repeat(64) }
    const damaged = await here.rig.file('damaged', Buffer.alloc(50_000, 'no music'), 3)
    const truths: string[] = []
    const truth = async (channelId: string, phase: StreamStatus['phase'], code: string | null, mark: number) => {
      const isTrue = (status: StreamStatus) => status.phase === phase && (status.last_error?.code ?? null) === code
      const status = await here.rig.until(channelId, `${phase} ${code}`, (told) => isTrue(told) && told.occurred_at >= mark)
      truths.push(`${phase} ${code}: ${status.occurred_at - mark} ms`)
      return status
    }
    let mark = Date.now()
    await here.rig.want(
      here.aChannel('no-tracks', { tracks: [] }),
      here.aChannel('no-file', { tracks: [missing] }),
      here.aChannel('damaged', { tracks: [damaged] }),
      here.aChannel('refused', { source_token: 'wrong' }),
      here.aChannel('part', { tracks: [missing, here.high] }),
      here.aChannel('spoiled', { tracks: [damaged, here.low] }),
    )
    await truth('no-tracks', 'failing', 'NO_TRACKS', mark)
    await truth('no-file', 'failing', 'MEDIA_MISSING', mark)
    await truth('refused', 'failing', 'SOURCE_REFUSED', mark)
    expect((await truth('part', 'on_air', 'TRACKS_MISSING', mark)).last_error!.message).toContain('1 of 2')
    await truth('spoiled', 'on_air', 'TRACKS_UNPLAYABLE', mark)
    await truth('damaged', 'failing', 'NOTHING_PLAYABLE', mark)
    mark = Date.now()
    await here.rig.want(
      here.aChannel('refused', { generation: 2, epoch: 2 }),
      here.aChannel('no-tracks', { generation: 2 }),
      here.aChannel('part', { generation: 2, tracks: [here.high] }),
    )
    for (const channelId of ['refused', 'no-tracks', 'part']) await truth(channelId, 'on_air', null, mark)
    expect(await here.rig.until('part', 'heard', ({ now_playing }) => now_playing !== null)).toMatchObject({
      now_playing: { media_id: 'high' },
    })

    mark = Date.now()
    here.icecast.freeze()
    await truth('part', 'failing', 'NOT_HEARD', mark).finally(() => here.icecast.thaw())
    await truth('part', 'on_air', null, mark)
    mark = Date.now()
    await here.icecast.stop()
    await truth('part', 'failing', 'ICECAST_UNAVAILABLE', mark)
    mark = Date.now()
    await here.icecast.start()
    await truth('part', 'on_air', null, mark)
    console.log(`from the fact to the status:\n  ${truths.join('\n  ')}`)
  }, 90_000)

  test('says that silence is silence, also where nothing is decoded, and which track a listener hears by then', async () => {
    here.owned.use(await here.rig.start())
    const silence = await here.rig.tone('silence', { frequencyHz: 440, seconds: 10, levelDbfs: -Infinity })
    await here.rig.want(
      here.aChannel('quiet', { tracks: [here.low, silence] }),
      here.aChannel('encoded', { tracks: [here.low, silence], mode: 'encode' }),
    )
    for (const channelId of ['quiet', 'encoded']) {
      await here.onAir(channelId)
      const quiet = await here.rig.until(channelId, 'silent', ({ phase }) => phase === 'silent')
      expect(quiet).toMatchObject({ now_playing: { media_id: 'silence' }, last_error: { code: 'SILENCE' } })
      const play = () => here.rig.events.find((event) => event.id === quiet.now_playing!.track_play_id)
      await waitFor('the track play', play, { timeoutMs: TIMEOUT_MS })
      const began = quiet.now_playing!.started_at
      expect(play()).toMatchObject({ event: 'track_started', media_id: 'silence', started_at: began })
      console.log(`${channelId}: silent ${quiet.since - began} ms after listeners heard the silent track begin`)
    }
  }, 60_000)

  test('starts without Liquidsoap and says what is missing', async () => {
    await using other = await temporaryHome()
    await using bare = rig(other, {
      ICECAST_PORT: `${here.icecast.port}`,
      LIQUIDSOAP_BIN: 'no-such-liquidsoap',
      AGENT_RESYNC_MS: '500',
    })
    await using agent = await bare.start('stop')
    const track = await bare.tone('low', { frequencyHz: 440, seconds: 1 })
    await bare.want(here.aChannel('bare', { tracks: [track] }))
    const status = await bare.until('bare', 'failing', ({ phase }) => phase === 'failing')
    expect(status.last_error).toMatchObject({ code: 'ENGINE_START_FAILED' })
    expect(bare.health.read()['liquidsoap']).toMatchObject({ ok: false })
    expect(agent).toBeDefined()
  }, 60_000)
})

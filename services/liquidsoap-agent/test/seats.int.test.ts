import { beforeEach, expect, test } from '@jest/globals'
import type { StartStream, StreamStatus, Track } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { hears, hearTone, PLAYER_RESERVE_MS, temporaryHome, type Listener } from '@skipcast/testing'
import { agentSuite } from './agent-suite.ts'
import { enginesOf, holderIn, rig, type Rig } from './agent-under-test.ts'
import { SOURCE_PASSWORD } from './test-icecast.ts'

const TIMEOUT_MS = 20_000
const FROM_HZ = 400
const RISES_HZ = 20
/** What a second replica may be off. */
const TOGETHER_MS = 500

// Two servers, each with an agent of its own, and one Icecast.
const here = agentSuite({ variables: {}, trackSeconds: 6 })
let there: Rig
let thereHome: string

beforeEach(async () => {
  const home = here.owned.use(await temporaryHome())
  thereHome = home.path
  here.owned.defer(async () => {
    for (const { pid } of await enginesOf(home.path)) process.kill(pid, 'SIGKILL')
  })
  there = rig(home, { ICECAST_PORT: `${here.icecast.port}`, AGENT_RESYNC_MS: '500' }, here.rig.bus, 'there')
  await there.tone('high', { frequencyHz: 880, seconds: 6 })
})

const standbyOf = (slug: string) => ({ server_id: 'there', epoch: 2, mount: `/w/${slug}`, source_token: SOURCE_PASSWORD })
const isOnAir = (isStandby: boolean) => (status: StreamStatus) =>
  status.phase === 'on_air' && (status.is_standby === true) === isStandby
/** Each event comes to one of the two who read as one group. */
const namesOf = (channelId: string, serverId: string) =>
  [...here.rig.events, ...there.events]
    .filter((event) => event.channel_id === channelId && event.server_id === serverId)
    .map(({ event }) => event)

/** A tone whose pitch tells where in the file it is, in the stores of both. */
async function rising(seconds: number): Promise<Track> {
  const options = { frequencyHz: FROM_HZ, risesHz: RISES_HZ, seconds }
  await there.tone('rising', options)
  return here.rig.tone('rising', options)
}

/** By how much the second is behind the first, in ms. */
async function apartMs(first: Listener, second: Listener): Promise<number> {
  const [one, two] = await Promise.all([hearTone(first, { lastMs: 200 }), hearTone(second, { lastMs: 200 })])
  return (((one.frequencyHz ?? 0) - (two.frequencyHz ?? 0)) * 1000) / RISES_HZ
}

test.each(['copy', 'encode'] as const)(
  'a standby plays what the primary plays, and becomes the primary without a change at its mount (%s)',
  async (mode) => {
    const tracks = [await rising(60)]
    const first = await here.rig.start()
    let second = await there.start()
    const command = here.aChannel('two', { mode, tracks, standby: standbyOf('two'), occurred_at: Date.now() })
    await here.rig.want(command)
    const primary = await here.rig.until('two', 'on air', isOnAir(false))
    const standby = await here.rig.until('two', 'on air as a second replica', isOnAir(true))
    expect(primary).toMatchObject({ server_id: 'here', epoch: 1, mount: '/two' })
    expect(standby).toMatchObject({ server_id: 'there', epoch: 2, mount: '/two', now_playing: { media_id: 'rising' } })
    const [one, two] = [await here.listen('/two'), await here.listen('/w/two')]
    await using listeners = new AsyncDisposableStack()
    for (const listener of [one, two]) listeners.use(listener)
    await waitFor('both to be heard', () => Math.min(one.heard.playMs, two.heard.playMs) > 1500, { timeoutMs: TIMEOUT_MS })
    const heardTogether = async () => Math.abs(await apartMs(one, two)) < TOGETHER_MS
    await waitFor('both to play the same', heardTogether, { timeoutMs: TIMEOUT_MS, everyMs: 250 })
    console.log(`${mode}: the standby is ${Math.round(await apartMs(one, two))} ms behind the primary`)

    // The agent is replaced meanwhile: what was told is known to the next one.
    await second[Symbol.asyncDispose]()
    second = here.owned.use(await there.start())
    const [engine, mark] = [await holderIn(thereHome, 'two'), performance.now()]
    await first[Symbol.asyncDispose]()
    await here.rig.want({ ...command, ...standbyOf('two'), standby: undefined, generation: 2, moved_from: 'here' })
    expect(
      await here.rig.until('two', 'on air elsewhere', (status) => status.server_id === 'there' && isOnAir(false)(status)),
    ).toMatchObject({ generation: 2, epoch: 2, mount: '/two' })
    await waitFor('the move to be told', () => namesOf('two', 'there').length > 0, { timeoutMs: TIMEOUT_MS })
    const heardMs = two.heard.playMs
    await waitFor('it to be heard on', () => two.heard.playMs > heardMs + 1000, { timeoutMs: TIMEOUT_MS })
    console.log(`${mode}: promoted with ${Math.round(two.gapSince(mark))} ms without a byte at most`)
    expect(two.gapSince(mark)).toBeLessThan(PLAYER_RESERVE_MS)
    expect(two.closures).toEqual([])
    expect(two.heard.resyncs).toBe(0)
    expect((await holderIn(thereHome, 'two')).pid).toBe(engine.pid)
    expect(namesOf('two', 'there')).toEqual(['channel_moved'])
    expect(namesOf('two', 'here').toSorted()).toEqual(['channel_started', 'track_started'])
  },
  90_000,
)

test('who takes a channel over at the end of a track begins with the next, and the one before plays on until it is put out', async () => {
  here.owned.use(await here.rig.start())
  here.owned.use(await there.start())
  const tracks = [await rising(8), { ...here.high }]
  const command = here.aChannel('moved', { tracks })
  await here.rig.want(command)
  const before = await here.onAir('moved')
  await using old = await here.listen('/moved')
  const move: Partial<StartStream> = {
    server_id: 'there',
    epoch: 2,
    generation: 2,
    mount: '/w/moved',
    moved_from: 'here',
    occurred_at: Date.now(),
    takes_over: { server_id: 'here', at: 'track_end' },
    playing: { media_id: 'rising', sent_at: before.now_playing!.queued_at! },
  }
  await here.rig.want({ ...command, ...move })
  const after = await here.rig.until(
    'moved',
    'on air elsewhere',
    (status) => status.server_id === 'there' && isOnAir(false)(status),
  )
  expect(after.now_playing).toMatchObject({ media_id: 'high' })
  const lateMs = after.now_playing!.queued_at! - (before.now_playing!.queued_at! + 8000)
  console.log(`at the end of the track: ${lateMs} ms beside it`)
  expect(Math.abs(lateMs)).toBeLessThan(TOGETHER_MS)
  await using fresh = await here.listen('/w/moved')
  await hears(fresh, 880, { timeoutMs: TIMEOUT_MS })
  await hears(old, 880, { timeoutMs: TIMEOUT_MS })
  expect(old.closures).toEqual([])
  const told = () => namesOf('moved', 'there').filter((name) => name !== 'track_started')
  await waitFor('the move to be told', () => told().length >= 2, { timeoutMs: TIMEOUT_MS })
  expect(told().toSorted()).toEqual(['channel_moved', 'channel_started'])

  await here.icecast.end('/moved')
  await waitFor('the one before to give up', async () => (await holderIn(here.home.path, 'moved').catch(() => null)) === null, {
    timeoutMs: TIMEOUT_MS,
  })
  expect(fresh.closures).toEqual([])
  expect(namesOf('moved', 'here')).not.toContain('channel_failed')
}, 90_000)

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { StartStream, Track } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { hearTone, type Listener } from '@skipcast/testing'
import type { EngineTrack } from '../src/domain/engine.ts'
import { engineUnderTest, type EngineUnderTest } from './engine-under-test.ts'

const TIMEOUT_MS = 20_000
/** The tone says how far into the file it is: 20 Hz are a second. */
const FROM_HZ = 400
const RISES_HZ = 20
const OFFSET_MS = 20_500
const CUE_IN_MS = 5000
/** Less than the first track goes on. */
const SETTLED_WITHIN_MS = 6000
/** Icecast hands on 90 ms of a stream of 128 kbit/s at a time. */
const TOLERANCE_MS = 300

const KINDS: Readonly<Record<string, Partial<StartStream>>> = {
  copied: { mode: 'copy' },
  encoded: {},
  crossfaded: { crossfade_ms: 2000 },
  cued: {},
  aac: { format: 'aac' },
  opus: { format: 'opus' },
}

/** Where a channel goes on that is begun within a track, at a listener's ear, with this Liquidsoap. */
export function offsetContract(name: string, program: string, kinds = Object.keys(KINDS)): void {
  describe(`a channel that is begun within a track (${name})`, () => {
    let engine: EngineUnderTest
    let rising: Track
    let next: Track
    const listeners = new Map<string, Listener>()
    const addedAt = new Map<string, number>()
    const sent = new Map<string, number>()
    const delays = new Map<string, number>()

    beforeAll(async () => {
      engine = await engineUnderTest(program)
      rising = await engine.track('rising', { frequencyHz: FROM_HZ, risesHz: RISES_HZ, seconds: 30 })
      next = await engine.track('next', { frequencyHz: 3000, seconds: 30 })
      for (const [kind, fields] of kinds.map((each) => [each, KINDS[each]!] as const)) {
        const tracks = kind === 'cued' ? [{ ...rising, cue_in_ms: CUE_IN_MS, cue_out_ms: 29_000 }, next] : [rising, next]
        await begin(`${kind}-first`, { ...fields, tracks }, 0)
        await begin(`${kind}-later`, { ...fields, tracks }, offsetOf(kind))
      }
      await Promise.all(kinds.map(compare))
    }, 60_000)
    afterAll(async () => engine[Symbol.asyncDispose](), 30_000)

    const begin = async (channelId: string, fields: Partial<StartStream>, offsetMs: number) => {
      addedAt.set(channelId, Date.now())
      await engine.add(channelId, fields, offsetMs)
      listeners.set(channelId, await engine.listenTo(channelId))
    }
    const playing = (channelId: string): Promise<EngineTrack> =>
      waitFor(
        'it to play',
        async () => {
          const channels = (await engine.host.list()).flatMap((each) => each.channels)
          const track = channels.find((channel) => channel.channelId === channelId)?.live?.track
          return track?.playId ? track : null
        },
        { timeoutMs: TIMEOUT_MS },
      )
    /** How long after it was sent something is heard, by what the tone says and what the engine says. */
    const delayMs = async (channelId: string) => {
      const { sentAt } = await playing(channelId)
      sent.set(channelId, sentAt)
      const at = Date.now()
      const { frequencyHz } = await hearTone(listeners.get(channelId)!, { lastMs: 200 })
      const heardMs = (((frequencyHz ?? 0) - FROM_HZ) * 1000) / RISES_HZ - (channelId.startsWith('cued') ? CUE_IN_MS : 0)
      return at - sentAt - heardMs
    }
    /** An engine that was starved catches up. */
    const compare = async (kind: string) => {
      const [first, later] = [`${kind}-first`, `${kind}-later`]
      await waitFor(`audio of ${kind}`, () => listeners.get(later)!.heard.playMs >= 1500, { timeoutMs: TIMEOUT_MS })
      const heardAlike = async () => {
        for (const channelId of [first, later]) delays.set(channelId, await delayMs(channelId))
        return Math.abs(delays.get(first)! - delays.get(later)!) < TOLERANCE_MS
      }
      await waitFor('both to be heard alike', heardAlike, { timeoutMs: SETTLED_WITHIN_MS, everyMs: 250 }).catch(() => {})
    }

    test.each(kinds)(
      'is heard where it said, and goes on with the next track (%s)',
      async (kind) => {
        const [first, later] = [delays.get(`${kind}-first`)!, delays.get(`${kind}-later`)!]
        const lateMs = sent.get(`${kind}-later`)! + offsetOf(kind) - addedAt.get(`${kind}-later`)!
        console.log(
          `${kind}: heard ${Math.round(first)} ms after it was sent, begun within ${Math.round(later)} ms; it began ${lateMs} ms after it was added`,
        )
        expect(Math.abs(first - later)).toBeLessThan(TOLERANCE_MS)
        await waitFor('the next track', async () => (await playing(`${kind}-later`)).mediaId === 'next', {
          timeoutMs: TIMEOUT_MS,
        })
      },
      60_000,
    )

    test('tells each play once', async () => {
      const events = (await engine.host.readEvents(engine.engineId)).filter(({ event }) => event === 'track_started')
      const told = events.map(({ data, track }) => `${(JSON.parse(data) as { channelId: string }).channelId} ${track}`)
      expect(told.toSorted()).toEqual([...new Set(told)].toSorted())
    })
  })
}

const offsetOf = (kind: string) => (kind === 'cued' ? OFFSET_MS - CUE_IN_MS : OFFSET_MS)

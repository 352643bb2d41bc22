import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { StartStream, Track } from '@skipcast/contracts'
import { runCommand, waitFor } from '@skipcast/runtime'
import { hearLevels, hears, type Listener, type ToneLevels } from '@skipcast/testing'
import { engineUnderTest, type EngineUnderTest } from './engine-under-test.ts'
import { aStream, aTrack } from './streams.ts'
import { SOURCE_PASSWORD } from './test-icecast.ts'

const WINDOW_MS = 50
const LOW_HZ = 440
const HIGH_HZ = 1200
/** Tones are made with -12 dBFS; LAME takes 0.45 dB away each time, of the file and of the stream. */
const SENT_DBFS = -12.9
/** A tone that is there at all. */
const HEARD_DBFS = -45
/** What files may say to steer Liquidsoap, ours among it. */
const STEERING = {
  liq_amplify: '-30 dB',
  skipcast_gain: '-30 dB',
  replaygain_track_gain: '-30 dB',
  liq_cue_in: '1',
  liq_cue_out: '2',
  liq_cross_duration: '2',
  skipcast_crossfade: '2',
  liq_fade_in: '2',
  title: 'Not the title',
}

/** What a mix does, at a listener's ear, with this Liquidsoap. One engine plays every channel. */
export function mixingContract(name: string, program: string): void {
  describe(`a mix (${name})`, () => {
    let engine: EngineUnderTest
    /** All play at the same time. */
    const listeners = new Map<string, Listener>()

    beforeAll(async () => {
      engine = await engineUnderTest(program)
      const [low3, low6, high2, high3, high6] = [
        await track('low3', LOW_HZ, 3),
        await track('low6', LOW_HZ, 6),
        await track('high2', HIGH_HZ, 2),
        await track('high3', HIGH_HZ, 3),
        await track('high6', HIGH_HZ, 6),
      ]
      await tag('low3', 'tagged', STEERING)
      await listenTo('crossfaded', { crossfade_ms: 2000, tracks: [low6, high6] })
      await listenTo('in-turn', { tracks: [low3, high3] })
      await listenTo('levelled', {
        tracks: [
          { ...low3, gain_db: -9 },
          { ...high3, gain_db: 3.5 },
        ],
      })
      await listenTo('cued', { tracks: [{ ...low6, cue_in_ms: 2000, cue_out_ms: 3500 }, high2] })
      await listenTo('tagged', { crossfade_ms: 500, tracks: [aTrack('tagged', { duration_ms: 3000 }), high2] })
      await listenTo('short', { crossfade_ms: 5000, tracks: [await track('blip', LOW_HZ, 1), high2] })
    }, 60_000)
    afterAll(async () => engine[Symbol.asyncDispose](), 30_000)

    const track = (id: string, frequencyHz: number, seconds: number) => engine.track(id, { frequencyHz, seconds })

    async function tag(from: string, to: string, tags: Readonly<Record<string, string>>): Promise<void> {
      const metadata = Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`])
      const [source, target] = [from, to].map((id) => `file:${engine.fileOf(id)}`) as [string, string]
      await runCommand('ffmpeg', ['-v', 'error', '-y', '-i', source, '-c', 'copy', ...metadata, target], { timeoutMs: 20_000 })
    }

    async function listenTo(channelId: string, fields: Partial<StartStream>): Promise<void> {
      await engine.add(channelId, fields)
      listeners.set(channelId, await engine.listenTo(channelId))
    }

    /** What was heard of a channel once `seconds` of audio are there. */
    async function levels(channelId: string, seconds: number): Promise<ToneLevels[]> {
      const listener = listeners.get(channelId)!
      await waitFor('enough audio', () => listener.heard.playMs >= seconds * 1000, { timeoutMs: 30_000 })
      return hearLevels(listener, { lastMs: seconds * 1000, frequenciesHz: [LOW_HZ, HIGH_HZ], windowMs: WINDOW_MS })
    }

    test('two tracks sound together for as long as was asked, and no longer, at the level of one', async () => {
      const heard = await levels('crossfaded', 14)
      const overlaps = runs(heard, isBoth)
      expect(overlaps.length).toBeGreaterThanOrEqual(2)
      for (const overlap of overlaps) {
        expect(overlap).toBeGreaterThan(1500)
        expect(overlap).toBeLessThan(2300)
      }
      const power = heard.map(({ levelsDbfs }) => 10 * Math.log10(levelsDbfs.reduce((sum, level) => sum + 10 ** (level / 10), 0)))
      expect(Math.min(...power.slice(20))).toBeGreaterThan(SENT_DBFS - 1)
      expect(Math.max(...power)).toBeLessThan(SENT_DBFS + 1)
    }, 60_000)

    test('without a crossfade one track ends where the next begins', async () => {
      const heard = await levels('in-turn', 14)
      expect(runs(heard, isLow).length).toBeGreaterThanOrEqual(1)
      for (const overlap of runs(heard, isBoth)) expect(overlap).toBeLessThanOrEqual(2 * WINDOW_MS)
    }, 60_000)

    test('a track is as much softer or louder as was asked', async () => {
      const heard = await levels('levelled', 8)
      const loudest = (index: number) => Math.max(...heard.map(({ levelsDbfs }) => levelsDbfs[index]!))
      expect(loudest(0)).toBeCloseTo(SENT_DBFS - 9, 0)
      expect(loudest(1)).toBeCloseTo(SENT_DBFS + 3.5, 0)
    }, 60_000)

    test('a track is heard from its cue in to its cue out', async () => {
      const lengths = runs(await levels('cued', 9), isLow)
      expect(lengths.length).toBeGreaterThanOrEqual(2)
      for (const length of lengths) {
        expect(length).toBeGreaterThanOrEqual(1400)
        expect(length).toBeLessThanOrEqual(1700)
      }
    }, 60_000)

    test('tags in a file change neither level nor length', async () => {
      const heard = await levels('tagged', 9)
      expect(Math.max(...heard.map(({ levelsDbfs }) => levelsDbfs[0]!))).toBeCloseTo(SENT_DBFS, 0)
      for (const length of runs(heard, isLow)) expect(length).toBeGreaterThanOrEqual(2700)
      for (const overlap of runs(heard, isBoth)) expect(overlap).toBeLessThan(700)
      expect(
        listeners
          .get('tagged')!
          .titles.map(({ title }) => title)
          .join(),
      ).not.toContain('Not the title')
    }, 60_000)

    test('tracks shorter than the crossfade, and changes of plan at any moment, keep a crossfaded channel on air', async () => {
      const listener = listeners.get('short')!
      await hears(listener, HIGH_HZ, { timeoutMs: 15_000 })
      const fields = { mode: 'encode', source_token: SOURCE_PASSWORD, crossfade_ms: 5000 } as const
      const load = (generation: number, tracks: Track[]) =>
        engine.host.load(engine.engineId, aStream('short', { ...fields, generation, tracks }))
      const [blip, high2, low6] = [
        aTrack('blip', { duration_ms: 1000 }),
        aTrack('high2', { duration_ms: 2000 }),
        aTrack('low6', { duration_ms: 6000 }),
      ]
      for (let generation = 2; generation < 42; generation++) {
        const { playMs } = listener.heard
        await load(generation, generation % 2 ? [high2, blip] : [high2])
        await waitFor('some more audio', () => listener.heard.playMs > playMs + 200, { timeoutMs: 10_000 })
      }
      await load(42, [low6])
      await hears(listener, LOW_HZ, { timeoutMs: 15_000, windowMs: 1500 })
      expect(listener.closures).toEqual([])
    }, 90_000)
  })
}

/** The runs of windows that pass, in ms, but for one that the beginning or the end cuts. */
function runs(windows: readonly ToneLevels[], passes: (low: number, high: number) => boolean): number[] {
  const found: number[] = []
  let length = 0
  let isWhole = false
  for (const { levelsDbfs } of windows) {
    if (passes(levelsDbfs[0]!, levelsDbfs[1]!)) {
      length += 1
      continue
    }
    if (length > 0 && isWhole) found.push(length * WINDOW_MS)
    length = 0
    isWhole = true
  }
  return found
}

const isLow = (low: number) => low > HEARD_DBFS
const isBoth = (low: number, high: number) => low > HEARD_DBFS && high > HEARD_DBFS

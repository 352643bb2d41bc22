import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { StartStream, Track } from '@skipcast/contracts'
import { childUser, runCommand, waitFor } from '@skipcast/runtime'
import {
  hearLevels,
  hears,
  openListener,
  temporaryHome,
  toneFile,
  type Listener,
  type TemporaryHome,
  type ToneLevels,
} from '@skipcast/testing'
import { localHost } from '../src/adapters/local-host.ts'
import type { EngineHost } from '../src/ports.ts'
import { LIMITS } from './limits.ts'
import { SCRIPTS } from './script.ts'
import { aStream, aTrack } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'

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
    let icecast: TestIcecast
    let home: TemporaryHome
    let host: EngineHost
    let engineId: string
    /** All play at the same time. */
    const listeners = new Map<string, Listener>()

    beforeAll(async () => {
      icecast = await testIcecast()
      home = await temporaryHome()
      host = await localHost({
        directory: join(home.path, 'agent'),
        scripts: SCRIPTS,
        program,
        logLevel: 3,
        limits: LIMITS,
        icecast: { host: '127.0.0.1', port: icecast.port },
        owner: childUser(),
        pathOf: (sha256) => join(home.path, `${Buffer.from(sha256, 'hex').toString('latin1').replaceAll('\0', '')}.mp3`),
      })
      await host.start()
      engineId = (await host.list())[0]!.id

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
    afterAll(async () => {
      for (const listener of listeners.values()) await listener[Symbol.asyncDispose]()
      await host.stop(engineId, { kill: true })
      await host[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
      await icecast[Symbol.asyncDispose]()
    })

    /** A track that plays this tone; its file is named after its id. */
    async function track(id: string, frequencyHz: number, seconds: number): Promise<Track> {
      await toneFile(join(home.path, `${id}.mp3`), { frequencyHz, seconds })
      return aTrack(id, { duration_ms: seconds * 1000 })
    }

    async function tag(from: string, to: string, tags: Readonly<Record<string, string>>): Promise<void> {
      const metadata = Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`])
      const [source, target] = [from, to].map((id) => `file:${join(home.path, `${id}.mp3`)}`) as [string, string]
      await runCommand('ffmpeg', ['-v', 'error', '-y', '-i', source, '-c', 'copy', ...metadata, target], { timeoutMs: 20_000 })
    }

    async function listenTo(channelId: string, fields: Partial<StartStream>): Promise<void> {
      await host.add(engineId, aStream(channelId, { mode: 'encode', source_token: SOURCE_PASSWORD, ...fields }))
      listeners.set(channelId, await openListener(icecast.urlOf(`/${channelId}`), { reconnectAfterMs: 20 }))
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

    test('tracks shorter than the crossfade, and a change of plan, keep a crossfaded channel on air', async () => {
      const listener = listeners.get('short')!
      await hears(listener, HIGH_HZ, { timeoutMs: 15_000 })
      const tracks = [aTrack('low6', { duration_ms: 6000 })]
      const fields = { mode: 'encode', source_token: SOURCE_PASSWORD, crossfade_ms: 5000, tracks } as const
      await host.load(engineId, aStream('short', { ...fields, generation: 2 }))
      await hears(listener, LOW_HZ, { timeoutMs: 15_000, windowMs: 1500 })
      expect(listener.closures).toEqual([])
    }, 60_000)
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

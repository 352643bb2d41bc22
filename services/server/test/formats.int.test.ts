import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import {
  apiClient,
  hears,
  openListener,
  processesOf,
  startSkipcast,
  temporaryHome,
  toneFile,
  untilReady,
  type ApiClient,
  type SkipcastProcess,
} from '@skipcast/testing'

// At a listener's ear, on the real engine, Icecast and role: formats other than MP3.

const BACK_TIMEOUT_MS = 15_000
const TONE_HZ = 440
const CONTENT_TYPES = { mp3: 'audio/mpeg', opus: 'audio/ogg', aac: 'audio/aac' } as const

let home: Awaited<ReturnType<typeof temporaryHome>>
let skipcast: SkipcastProcess
let api: ApiClient
let tone: string
let shortTone: string
let quiet: string

beforeAll(async () => {
  home = await temporaryHome()
  tone = await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: TONE_HZ, seconds: 10, title: 'Tone', artist: 'Björk' })
  shortTone = await toneFile(join(home.path, 'short.mp3'), { frequencyHz: TONE_HZ, seconds: 3 })
  quiet = await toneFile(join(home.path, 'quiet.mp3'), { frequencyHz: TONE_HZ, seconds: 8, levelDbfs: -Infinity })
  skipcast = await startSkipcast(home.path)
  await untilReady(skipcast)
  api = await apiClient(skipcast.apiUrl, home.path)
}, 180_000)

afterAll(async () => {
  await skipcast?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
}, 60_000)

const urlOf = (slug: string) => `http://127.0.0.1:${skipcast.icecastPort}/${slug}`
const command = async (slug: string, what: 'start' | 'stop') =>
  expect((await api.call('POST', `/api/channels/${slug}/stream/${what}`)).status).toBe(202)

test.each(['opus', 'aac'] as const)(
  '%s is heard, and heard again on the same connection after its engine was killed',
  async (format) => {
    await api.channel({ name: format, slug: format, mode: 'encode', format, bitrate_kbps: 96 }, [tone])
    await command(format, 'start')
    await api.untilPhase(format, 'on_air', BACK_TIMEOUT_MS)
    await using listener = await openListener(urlOf(format))
    expect(listener.answer.headers.get('content-type')).toBe(CONTENT_TYPES[format])
    await hears(listener, TONE_HZ, { timeoutMs: BACK_TIMEOUT_MS })
    await waitFor('the title', () => listener.titles.some(({ title }) => title === 'Björk - Tone'), { timeoutMs: 30_000 })

    const mark = performance.now()
    const silentBefore = listener.heard.silentFrames
    const engines = (await processesOf(home.path)).filter((found) => found.command.includes('liquidsoap --no-stdlib'))
    for (const { pid } of engines) process.kill(pid, 'SIGKILL')
    await waitFor('the filler', () => listener.heard.silentFrames > silentBefore, { timeoutMs: BACK_TIMEOUT_MS })
    await hears(listener, TONE_HZ, { timeoutMs: BACK_TIMEOUT_MS })
    console.log(`${format}, engine killed: longest gap ${Math.round(listener.gapSince(mark))} ms`)
    expect(listener.closures).toEqual([])
    await api.untilPhase(format, 'on_air', BACK_TIMEOUT_MS)
    await command(format, 'stop')
  },
  60_000,
)

test('a track of digital silence is told as silence, and the next one as sound, whatever the format', async () => {
  const round = ['on_air', 'silent', 'on_air']
  const seen = async (format: keyof typeof CONTENT_TYPES) => {
    const slug = `quiet-${format}`
    await api.channel({ name: slug, slug, mode: 'encode', format }, [shortTone, quiet])
    await command(slug, 'start')
    const told: string[] = []
    const isTold = async () => {
      const phase = await api.phase(slug)
      if (phase !== told.at(-1)) told.push(phase)
      return round.every((wanted, index) => told.at(index - round.length) === wanted)
    }
    // On a starved machine there may be something else between; the tracks go round until there is not.
    await waitFor(`${format}: sound, silence and sound, and nothing between`, isTold, { timeoutMs: 60_000, everyMs: 40 })
    await command(slug, 'stop')
  }
  await Promise.all((['mp3', 'opus', 'aac'] as const).map(seen))
}, 90_000)

test('another format lets listeners go, and who comes again hears it under its own name', async () => {
  await api.channel({ name: 'Changing', slug: 'changing', mode: 'encode' }, [tone])
  await command('changing', 'start')
  await api.untilPhase('changing', 'on_air', BACK_TIMEOUT_MS)
  await using listener = await openListener(urlOf('changing'), { reconnectAfterMs: 200 })
  await hears(listener, TONE_HZ, { timeoutMs: BACK_TIMEOUT_MS })
  for (const format of ['opus', 'aac', 'mp3'] as const) {
    const ended = listener.closures.length
    expect((await api.call('PUT', '/api/channels/changing', { format })).status).toBe(200)
    await waitFor('listeners to be let go', () => listener.closures.length > ended, { timeoutMs: BACK_TIMEOUT_MS })
    const isNew = () => listener.isConnected && listener.answer.headers.get('content-type') === CONTENT_TYPES[format]
    await waitFor(`an answer in ${format}`, isNew, { timeoutMs: BACK_TIMEOUT_MS })
    await hears(listener, TONE_HZ, { timeoutMs: BACK_TIMEOUT_MS })
    expect(isNew()).toBe(true)
    await api.untilPhase('changing', 'on_air', BACK_TIMEOUT_MS)
  }
  await command('changing', 'stop')
}, 120_000)

import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { httpGet, waitFor } from '@skipcast/runtime'
import {
  PLAYER_RESERVE_MS,
  apiClient,
  gapMeter,
  hears,
  hostileStrings,
  openListener,
  processesOf,
  startSkipcast,
  temporaryHome,
  toneFile,
  untilReady,
  type Answer,
  type ApiClient,
  type Listener,
  type SkipcastProcess,
} from '@skipcast/testing'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { untilAllEnginesAreAccountedFor } from './ended-engines.ts'

/** In CI 2,000; a nightly run sets 100,000. */
const COUNT = Number(process.env['HOSTILE_STRINGS'] ?? 2000)
const SEED = Number(process.env['HOSTILE_SEED'] ?? 1)
const LIMIT_MS = 180_000 + COUNT * 60
/** Channels on air that take the strings over, beside the one that must not notice. */
const VICTIMS = 29
const AT_ONCE = 16
const ROUND_LIMIT_MS = 60_000
/** A longer name is cut on its way to Icecast. */
const MAX_HEADER_BYTES = 255
const TRACKS = 10
const FIELDS = ['name', 'description', 'genre'] as const
type Field = (typeof FIELDS)[number]
const SCRIPTS = fileURLToPath(new URL('../../../liquidsoap', import.meta.url))

let home: Awaited<ReturnType<typeof temporaryHome>>
let skipcast: SkipcastProcess
let api: ApiClient
let listener: Listener
let traps: string
let strings: readonly string[]
/** What the API took as text, by field, as many together as the field holds on its way to Icecast. */
const packed: Record<Field, string[]> = { name: [], description: [], genre: [] }
const HOLDS: Record<Field, number> = { name: 120, description: 240, genre: 100 }
const counts: Record<Field, number> = { name: 0, description: 0, genre: 0 }
let startedAt: number
let script: string
let engines: number[]

const fingerprint = async (directory: string) => {
  const hash = createHash('sha256')
  for (const name of (await readdir(directory)).sort()) hash.update(await readFile(join(directory, name)))
  return hash.digest('hex')
}
const engineIds = async () =>
  (await processesOf(home.path)).filter(({ command }) => command.includes('liquidsoap --no-stdlib')).map(({ pid }) => pid)

beforeAll(async () => {
  home = await temporaryHome()
  traps = join(home.path, 'traps')
  await mkdir(traps)
  await chmod(traps, 0o777) // whoever runs a hostile text can spring it
  strings = hostileStrings(SEED, COUNT, join(traps, 'sprung'))
  const tone = await toneFile(join(home.path, 'tone.mp3'), { frequencyHz: 440, seconds: 20 })
  skipcast = await startSkipcast(home.path, { EVENT_BUS: 'memory', CHANNELS_PER_ENGINE: '10', API_RATE_LIMIT: '10000000' })
  await untilReady(skipcast)
  api = await apiClient(skipcast.apiUrl, home.path)
  await api.channel({ name: 'Reference', slug: 'reference' }, [tone])
  const { body } = await api.call('GET', '/api/channels/reference/media')
  await inTurns(victims(), async (slug) => {
    await api.call('POST', '/api/channels', { name: slug, slug })
    await api.call('POST', `/api/channels/${slug}/media`, { media_ids: [body.data[0].id] })
  })
  await api.call('POST', '/api/channels/reference/stream/start')
  await api.untilPhase('reference', 'on_air', 30_000)
  listener = await openListener(`http://127.0.0.1:${skipcast.icecastPort}/reference`)
  await hears(listener, 440, { timeoutMs: 15_000 })
  script = await fingerprint(SCRIPTS)
  engines = await engineIds()
  startedAt = performance.now()
}, 180_000)

afterAll(async () => {
  await listener?.[Symbol.asyncDispose]()
  await skipcast?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
}, 60_000)

function victims(): string[] {
  return Array.from({ length: VICTIMS }, (_, index) => `victim-${index}`)
}

describe('A1, A3, L1: hostile strings', () => {
  test(
    'each text field stores them as they are, or refuses them and says its name',
    async () => {
      await api.call('POST', '/api/channels', { name: 'Draft', slug: 'draft' })
      let done = 0
      await inTurns(strings, async (text) => {
        if (done++ % 2000 === 0) progress(`${done - 1} of ${COUNT} texts`)
        const together = Object.fromEntries(FIELDS.map((field) => [field, text]))
        const answer = await api.call('PUT', '/api/channels/draft', together)
        const refused = answer.status === 200 ? [] : refusedFields(answer)
        keep(
          text,
          FIELDS.filter((field) => !refused.includes(field)),
        )
        if (answer.status === 200) for (const field of FIELDS) expect(answer.body[field]).toBe(text)
        else if (refused.length < FIELDS.length) await storesTheRest(text, refused)
      })
      for (const field of FIELDS) expect(counts[field]).toBeGreaterThan(COUNT / 10)
    },
    LIMIT_MS,
  )

  test(
    'in an address, a slug, an id, a query or a file name they find nothing, or are refused',
    async () => {
      const sample = strings.slice(0, Math.max(200, COUNT / 20))
      await inTurns(sample, async (text) => {
        const inPath = encodeURIComponent(text.toWellFormed())
        const answers = await Promise.all([
          api.call('GET', `/api/channels/${inPath}`),
          api.call('GET', `/api/channels?page=${inPath}`),
          api.call('GET', `/api/media/${inPath}`),
          api.call('POST', '/api/channels', { name: 'x', slug: text }),
          api.call('POST', '/api/channels/draft/media', { media_ids: [text] }),
        ])
        for (const { status, body } of answers) expect([status, body]).toEqual([expect.any(Number), expect.anything()])
        for (const [index, { status }] of answers.entries()) {
          const isSlug = /^[a-z0-9][a-z0-9-]{0,99}$/.test(text)
          // The channel that is made with it may be there already when it is asked for.
          const mayWork = !isSlug ? [] : index === 3 ? [201, 409] : index === 0 ? [200] : []
          // A URL that ends in "/." is the same as one that ends in "/": clients resolve it before they ask.
          const isList = index === 1 || ((index === 0 || index === 2) && ['', '.'].includes(text)) ? [200] : []
          expect([...mayWork, ...isList, 400, 404, 414]).toContain(status)
        }
      })
    },
    LIMIT_MS,
  )

  test('as tags and file names of music they become titles of one line', async () => {
    const tone = await readFile(join(home.path, 'tone.mp3'))
    const ids: string[] = []
    const sample = strings.filter((_, index) => index % Math.floor(COUNT / TRACKS) === 0).slice(0, TRACKS)
    for (const [index, text] of sample.entries()) {
      const form = new FormData()
      const tagged = Buffer.concat([id3({ TIT2: text, TPE1: strings[index]!, TALB: text }), tone])
      form.set('media_file', new Blob([tagged]), text.toWellFormed().slice(0, 200) || 'x')
      const { status, body } = await api.call('POST', '/api/media/upload', form)
      expect([index, status, body]).toEqual([index, 201, expect.anything()])
      for (const field of ['title', 'artist', 'album', 'original_name'])
        expect(body[field]).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u)
      ids.push(body.id)
    }
    for (const [index, slug] of victims().entries()) {
      const media_ids = [ids[index % ids.length]!]
      expect((await api.call('POST', `/api/channels/${slug}/media`, { media_ids })).status).toBe(200)
    }
  }, 60_000)

  test(
    'running engines and Icecast take over every name, description and genre as text',
    async () => {
      const rounds = Math.ceil(Math.max(...FIELDS.map((field) => packed[field].length)) / VICTIMS)
      for (let round = 0; round < rounds; round++) {
        if (round % 10 === 0) progress(`round ${round} of ${rounds}`)
        const wanted = victims().map((slug, index) => {
          const at = round * VICTIMS + index
          const of = (field: Field) => packed[field][at % packed[field].length]!
          return {
            slug,
            name: of('name'),
            genre: of('genre'),
            description: wellFormed(`${round}. ${of('description')}`.slice(0, 1000)),
          }
        })
        // What a channel is called goes to Icecast when it starts.
        if (round > 0)
          await inTurns(wanted, async ({ slug }) => void (await api.call('POST', `/api/channels/${slug}/stream/stop`)))
        await inTurns(wanted, async ({ slug, ...fields }) => {
          const { status, body } = await api.call('PUT', `/api/channels/${slug}`, fields)
          expect([status, body]).toEqual([200, expect.anything()])
          await api.untilPhase(slug, 'off', ROUND_LIMIT_MS)
          expect((await api.call('POST', `/api/channels/${slug}/stream/start`)).status).toBe(202)
        })
        const sources = await waitFor(
          `round ${round} at Icecast`,
          async () => {
            const found = await icecastSources()
            const late = wanted.filter(({ slug }) => !found.get(`/${slug}`)?.server_description?.startsWith(`${round}.`))
            if (late.length > 0) throw new Error(JSON.stringify(late.map((each) => [each, found.get(`/${each.slug}`)])))
            return found
          },
          { timeoutMs: ROUND_LIMIT_MS, everyMs: 100 },
        )
        for (const { slug, name } of wanted) {
          const shown = sources.get(`/${slug}`)?.server_name ?? ''
          const wished = name.replaceAll(/[\ufffe\uffff]+/g, ' ').trim() // XML has no place for these
          expect(shown).toBe(Buffer.byteLength(wished) > MAX_HEADER_BYTES ? wished.slice(0, shown.length) : wished)
        }
      }
    },
    LIMIT_MS,
  )

  test('nothing was executed or changed, and nobody else noticed', async () => {
    expect(await readdir(traps)).toEqual([])
    expect(await fingerprint(SCRIPTS)).toBe(script)
    await untilAllEnginesAreAccountedFor(api, engines, engineIds)
    expect((await fetch(`${skipcast.apiUrl}/readyz`)).status).toBe(200)
    expect(await api.phase('reference')).toBe('on_air')
    await inTurns(victims(), async (slug) => void (await api.untilPhase(slug, 'on_air', ROUND_LIMIT_MS)))
    await hears(listener, 440, { timeoutMs: 15_000 })
    const gaps = gapMeter(listener).between(startedAt)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(
      `${COUNT} strings in ${seconds} s; taken as name ${counts.name}, description ${counts.description}, genre ${counts.genre}; reference channel: ${gaps.text}`,
    )
    expect(listener.closures).toEqual([])
    expect(gaps.max).toBeLessThan(PLAYER_RESERVE_MS)
  }, 60_000)
})

/** Puts a text beside the last one of the field that has the fewest; a longer one is alone, and cut on its way. */
function keep(text: string, fields: readonly Field[]): void {
  for (const field of fields) counts[field] += 1
  const [field] = fields.toSorted((one, other) => packed[one].length - packed[other].length)
  if (!field) return
  const together = `${packed[field].at(-1) ?? ''} ${text}`
  if (packed[field].length > 0 && Array.from(together).length <= HOLDS[field]) packed[field].splice(-1, 1, together)
  else packed[field].push(text)
}

/** Puts a text into the fields that did not refuse it. */
async function storesTheRest(text: string, refused: readonly string[]): Promise<void> {
  const rest = Object.fromEntries(FIELDS.filter((field) => !refused.includes(field)).map((field) => [field, text]))
  const { status, body } = await api.call('PUT', '/api/channels/draft', rest)
  expect(status).toBe(200)
  for (const field of Object.keys(rest)) expect(body[field]).toBe(text)
}

/** The fields that a refusal names; it names at least one. */
function refusedFields({ status, body }: Answer): string[] {
  expect([status, body.error]).toEqual([400, 'BAD_REQUEST'])
  const named = FIELDS.filter((field) => (body.details as string[]).some((problem) => problem.startsWith(`${field}: `)))
  expect(named).not.toEqual([])
  return named
}

interface Source {
  readonly '@_mount': string
  readonly server_name?: string
  readonly server_description?: string
}

/** Icecast's own statistics by mount; they must be whole XML without a character that XML forbids. */
async function icecastSources(): Promise<Map<string, Source>> {
  const password = (await readFile(join(home.path, 'secrets', 'icecast-admin'), 'utf8')).trim()
  const url = new URL(`http://127.0.0.1:${skipcast.icecastPort}/admin/stats`)
  const { status, body } = await httpGet(url, { timeoutMs: 5000, maxBytes: 16 * 1024 ** 2, user: 'admin', password })
  expect(status).toBe(200)
  expect(XMLValidator.validate(body)).toBe(true)
  expect(body).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u)
  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false, trimValues: false, htmlEntities: true })
  const { source } = parser.parse(body).icestats
  const sources = [source].flat() as Source[]
  return new Map(sources.map((each) => [each['@_mount'], each]))
}

/** An ID3v2.4 tag of text frames in UTF-8, whatever the text is. */
function id3(frames: Readonly<Record<string, string>>): Buffer {
  const size = (length: number) => Buffer.from([21, 14, 7, 0].map((shift) => (length >> shift) & 0x7f))
  const bodies = Object.entries(frames).map(([name, text]) => {
    const content = Buffer.concat([Buffer.from([3]), Buffer.from(text)])
    return Buffer.concat([Buffer.from(name), size(content.length), Buffer.alloc(2), content])
  })
  const body = Buffer.concat(bodies)
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0]), size(body.length), body])
}

function progress(what: string): void {
  process.stderr.write(`hostile strings: ${what} after ${Math.round((performance.now() - startedAt) / 1000)} s\n`)
}

/** A cut may have gone through a character. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '')
}

async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await act(item)
    }),
  )
}

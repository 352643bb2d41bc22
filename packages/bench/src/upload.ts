import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { s3Server } from '@skipcast/media-store/testing'
import { apiClient, startSkipcast, temporaryHome, untilReady } from '@skipcast/testing'
import { bareS3 } from './bare-s3.ts'
import type { Benchmark } from './benchmark.ts'
import { untilPlayable } from './ready-to-air.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const MB = 1024 ** 2
const CHUNK = randomBytes(MB)
const LOOK_EVERY_MS = 200
const SETTLE_MS = 5000
/** Above what the process had before: buffers, and what the collector leaves for later. */
const TARGET_GROWTH_MB = 150
const [SAMPLE_RATE, CHANNELS, SAMPLE_BYTES] = [44_100, 2, 2]

type Way = 'multipart' | 'tus'

interface Sent {
  readonly mediaId: string
  readonly tookMs: number
}

export const upload: Benchmark<{ megabytes: number; piece: number; ready: number; stores: number }> = {
  name: 'upload',
  summary:
    'time, and memory of the API, for one large file: by form and by tus (in pieces); ready=1: until it is ready to air; stores=1: into S3, beside bare lib-storage',
  settings: { megabytes: 2047, piece: 64, ready: 0, stores: 0 },
  async run({ megabytes, piece, ready, stores }, say) {
    await using store = stores === 1 ? await s3Server() : null
    await using home = await temporaryHome()
    await using server = await startSkipcast(home.path, { EVENT_BUS: 'memory', ...store?.environment })
    await untilReady(server)
    const api = await apiClient(server.apiUrl, home.path)
    const token = (await readFile(`${home.path}/admin-token`, 'utf8')).trim()
    await sleep(SETTLE_MS)
    const rows: string[][] = []
    if (store) {
      say(`${megabytes} MB by bare Node and lib-storage`)
      await using bare = await bareS3(store.config)
      const memory = watchMemory(bare.pid)
      const chunks = noise(megabytes)
      const startedAt = performance.now()
      await ask(bare.url, 'PUT', { headers: {}, sizeBytes: chunks.length * MB, bytes: chunks })
      rows.push(rowOf('bare Node and lib-storage', megabytes, performance.now() - startedAt, memory.end()))
    }
    for (const way of ['multipart', 'tus'] as const) {
      say(`${megabytes} MB by ${way}`)
      const memory = watchMemory(server.pid)
      const chunks = ready === 1 ? music(megabytes) : noise(megabytes)
      const { mediaId, tookMs } = await send(way, { url: server.apiUrl, token, chunks, pieceMb: piece })
      const seen = memory.end()
      const readyMs = ready === 1 ? await untilPlayable(api, mediaId) : null
      await api.call('DELETE', `/api/media/${mediaId}`)
      rows.push(rowOf(way, megabytes, tookMs, seen, readyMs))
    }
    const head = ['way', 's', 'MB/s', 'RSS before, MB', 'at 25 · 50 · 75 · 100 %', 'most', 'ready after, s', '']
    return table(head, rows)
  },
}

function rowOf(
  what: string,
  megabytes: number,
  tookMs: number,
  { before, quarters, most }: ReturnType<ReturnType<typeof watchMemory>['end']>,
  readyMs: number | null = null,
): string[] {
  const tookS = tookMs / 1000
  return [
    what,
    tookS.toFixed(1),
    (megabytes / tookS).toFixed(0),
    `${before}`,
    quarters.join(' · '),
    `${most}`,
    readyMs === null ? '–' : (readyMs / 1000).toFixed(0),
    verdict(most - before <= TARGET_GROWTH_MB, `+${TARGET_GROWTH_MB} MB at most`),
  ]
}

/** The resident memory of a process from now on, in MB. */
function watchMemory(pid: number) {
  const seen: number[] = []
  const look = async () => {
    const [, kb] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
    seen.push(Math.round(Number(kb) / 1024))
  }
  void look()
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  return {
    end() {
      clearInterval(timer)
      const at = (part: number) => seen[Math.min(seen.length - 1, Math.floor(seen.length * part))]!
      return { before: seen[0]!, quarters: [at(0.25), at(0.5), at(0.75), at(1)], most: Math.max(...seen) }
    },
  }
}

interface Order {
  readonly url: string
  readonly token: string
  /** A megabyte each. */
  readonly chunks: readonly Buffer[]
  readonly pieceMb: number
}

async function send(way: Way, order: Order): Promise<Sent> {
  const startedAt = performance.now()
  const mediaId = way === 'multipart' ? await byForm(order) : await byTus(order)
  return { mediaId, tookMs: performance.now() - startedAt }
}

async function byForm({ url, token, chunks }: Order): Promise<string> {
  const head = Buffer.from('--b\r\ncontent-disposition: form-data; name="media_file"; filename="x.wav"\r\n\r\n')
  const tail = Buffer.from('\r\n--b--\r\n')
  const { body } = await ask(`${url}/api/media/upload`, 'POST', {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' },
    sizeBytes: head.length + chunks.length * MB + tail.length,
    bytes: [head, ...chunks, tail],
  })
  return (JSON.parse(body) as { id: string }).id
}

async function byTus({ url, token, chunks, pieceMb }: Order): Promise<string> {
  const common = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
  const begin = { ...common, 'upload-length': String(chunks.length * MB), 'upload-metadata': 'filename eC53YXY=' }
  const { headers } = await ask(`${url}/api/media/uploads`, 'POST', { headers: begin, sizeBytes: 0, bytes: [] })
  let location = ''
  for (let from = 0; from < chunks.length; from += pieceMb) {
    const bytes = chunks.slice(from, from + pieceMb)
    const answer = await ask(url + String(headers['location']), 'PATCH', {
      headers: { ...common, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from * MB) },
      sizeBytes: bytes.length * MB,
      bytes,
    })
    location = String(answer.headers['media-location'] ?? '')
  }
  return location.split('/').at(-1)!
}

/** What nobody takes for music: the upload alone is measured, not what is made of it. No two files are the same. */
function noise(megabytes: number): readonly Buffer[] {
  return [randomBytes(MB), ...Array.from({ length: megabytes - 1 }, () => CHUNK)]
}

/** The same as a WAV file. */
function music(megabytes: number): readonly Buffer[] {
  const [first, ...rest] = noise(megabytes)
  return [Buffer.concat([waveHead(megabytes * MB), first!.subarray(44)]), ...rest]
}

function waveHead(sizeBytes: number): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(sizeBytes - 8, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(CHANNELS, 22)
  head.writeUInt32LE(SAMPLE_RATE, 24)
  head.writeUInt32LE(SAMPLE_RATE * CHANNELS * SAMPLE_BYTES, 28)
  head.writeUInt16LE(CHANNELS * SAMPLE_BYTES, 32)
  head.writeUInt16LE(SAMPLE_BYTES * 8, 34)
  head.write('data', 36)
  head.writeUInt32LE(sizeBytes - 44, 40)
  return head
}

async function ask(
  url: string,
  method: string,
  { headers, sizeBytes, bytes }: { headers: Record<string, string>; sizeBytes: number; bytes: readonly Buffer[] },
): Promise<{ headers: IncomingMessage['headers']; body: string }> {
  const sent = request(url, { method, headers: { ...headers, 'content-length': String(sizeBytes) } })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  answered.catch(() => {}) // told below
  for (const chunk of bytes) if (!sent.write(chunk)) await once(sent, 'drain')
  sent.end()
  const [response] = await answered
  const body = await text(response)
  if ((response.statusCode ?? 500) >= 300) throw new Error(`${method} ${url} answered ${response.statusCode}: ${body}`)
  return { headers: response.headers, body }
}

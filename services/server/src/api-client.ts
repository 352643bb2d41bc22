import { openAsBlob } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { uploadFile, type UploadProgress } from './upload-file.ts'

/** The API waits for its database at most. */
const ANSWER_LIMIT_MS = 30_000
/** The most that one page of a list holds. */
const PAGE_SIZE = 100
const MAX_ATTACHED = 500
/** What an upload waits for the server to process it, before it begins to ask how far it is. */
const UPLOAD_WAIT_S = 60
const LOOK_EVERY_MS = 1000

const channel = z.object({ id: z.string(), name: z.string(), slug: z.string(), state: z.string() })
const media = z.object({
  id: z.string(),
  state: z.enum(['processing', 'ready', 'failed']),
  problem: z.string().nullable(),
  title: z.string(),
  artist: z.string(),
  duration_ms: z.number().nullable(),
})
const problem = z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable()
const stream = z.object({
  channel,
  stream: z.object({
    phase: z.string(),
    server: z.string().nullable(),
    listen_url: z.string(),
    observed_at: z.string().nullable(),
    stale: z.boolean(),
    now_playing: z.object({ title: z.string(), artist: z.string() }).nullable(),
    listeners: z.number().nullable(),
    last_error: problem,
    standby: z.object({ server: z.string().nullable(), phase: z.string(), last_error: problem }).nullable(),
  }),
})
const readiness = z.object({
  ready: z.boolean(),
  dependencies: z.record(z.string(), z.object({ ok: z.boolean(), problem: z.string().nullable() })),
})
const server = z.object({
  id: z.string(),
  state: z.string(),
  last_heard_at: z.string(),
  labels: z.record(z.string(), z.string()),
  capacity: z.number(),
  placed: z.object({ channels: z.number(), cost: z.number() }),
  drain: z.object({ since: z.string(), by: z.string() }).nullable(),
  channels: z.number(),
  versions: z.record(z.string(), z.string()),
})
const serverPage = z.object({ data: z.array(server), total: z.number() })
const seat = z.object({ server: z.string(), epoch: z.number(), mount: z.string() }).nullable()
const placement = z.object({
  cost: z.number(),
  replicas: z.number(),
  labels: z.record(z.string(), z.string()),
  pinned_server: z.string().nullable(),
  primary: seat,
  standby: seat,
  moved: z.object({ at: z.string(), from: z.string().nullable(), because: z.string() }).nullable(),
  problem: z.string().nullable(),
  servers_total: z.number(),
  servers: z.array(
    z.object({
      id: z.string(),
      has: z.string().nullable(),
      capacity: z.number(),
      load: z.number(),
      refused_because: z.array(z.string()),
    }),
  ),
})
const channelPage = z.object({ data: z.array(channel), total: z.number() })
const swept = z.object({ files: z.number(), bytes: z.number(), complete: z.boolean() })
const refusal = z.object({ error: z.string(), message: z.string() })

export type Channel = z.output<typeof channel>
export type Media = z.output<typeof media>
export type ChannelStream = z.output<typeof stream>
export type Server = z.output<typeof server>
export type Placement = z.output<typeof placement>
export interface PlacementWish {
  readonly replicas?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly pinned_server?: string | null
}
export type Swept = z.output<typeof swept>
export type Readiness = z.output<typeof readiness>

/** The API said no. `message` is its own words: what is wrong and what to do. */
export class ApiRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiRefusal'
    this.status = status
  }
}

/** What programs of this machine ask the API for. Each rejects with ApiRefusal, or with HOST_UNREACHABLE when no Skipcast answers. */
export interface ApiClient {
  readonly url: string
  channels(): Promise<Channel[]>
  createChannel(fields: { name: string; slug?: string; description?: string; genre?: string }): Promise<Channel>
  attach(channel: string, mediaIds: readonly string[]): Promise<void>
  /** Sends a picture, of which the server then makes the channel’s artwork. */
  giveArtwork(channel: string, file: string): Promise<void>
  switchStream(channel: string, to: 'start' | 'stop'): Promise<ChannelStream>
  status(channel: string): Promise<ChannelStream>
  /** Where a channel is and why. */
  placement(channel: string): Promise<Placement>
  /** Says where a channel may be; what is left out stays as it is. */
  place(channel: string, wish: PlacementWish): Promise<Placement>
  move(channel: string, to: { server_id: string; at: string }): Promise<ChannelStream>
  servers(): Promise<Server[]>
  drain(server: string, to: 'drain' | 'undrain'): Promise<Server>
  /** Sends a file as it is read; resolves once the server has analysed it. */
  upload(file: string, onProgress?: (progress: UploadProgress) => void): Promise<Media>
  /** Removes files that nothing names, some at a time; or only tells what would go. */
  sweepMedia(wish: 'look' | 'remove'): Promise<Swept>
  /** How every dependency of the server is, also when one is away. */
  readiness(): Promise<Readiness>
}

/** Without a token only what is public is answered. */
export function apiClient(url: string, token: string | null): ApiClient {
  const headers = { ...(token !== null && { authorization: `Bearer ${token}` }) }

  const call = async <T>(
    schema: z.ZodType<T>,
    method: string,
    path: string,
    body?: object | FormData,
    alsoFine: readonly number[] = [],
  ): Promise<T> => {
    const isJson = body !== undefined && !(body instanceof FormData)
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(isJson && { 'content-type': 'application/json' }) },
      ...(body && { body: isJson ? JSON.stringify(body) : body }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    }).catch((cause: unknown) => {
      throw unreachable(url, cause)
    })
    const text = await response.text()
    return read(schema, url, response.ok || alsoFine.includes(response.status) ? 200 : response.status, text)
  }
  const pages = async <T>(schema: z.ZodType<{ data: T[] }>, path: string): Promise<T[]> => {
    const found: T[] = []
    for (let page = 1; ; page++) {
      const { data } = await call(schema, 'GET', `${path}?page=${page}&per_page=${PAGE_SIZE}`)
      found.push(...data)
      if (data.length < PAGE_SIZE) return found
    }
  }
  const of = (name: string) => `/api/channels/${encodeURIComponent(name)}`

  return {
    url,
    channels: () => pages(channelPage, '/api/channels'),
    createChannel: async (fields) => (await call(z.object({ channel }), 'POST', '/api/channels', fields)).channel,
    async attach(name, mediaIds) {
      for (let from = 0; from < mediaIds.length; from += MAX_ATTACHED) {
        const media_ids = mediaIds.slice(from, from + MAX_ATTACHED)
        await call(z.object({ channel }), 'POST', `${of(name)}/media`, { media_ids })
      }
    },
    async giveArtwork(name, file) {
      const form = new FormData()
      form.set('artwork', await openAsBlob(file), 'artwork')
      await call(z.object({ state: z.string() }), 'PUT', `${of(name)}/artwork`, form)
    },
    switchStream: (name, to) => call(stream, 'POST', `${of(name)}/stream/${to}`),
    status: (name) => call(stream, 'GET', `${of(name)}/stream/status`),
    placement: (name) => call(placement, 'GET', `${of(name)}/placement`),
    place: (name, wish) => call(placement, 'PATCH', `${of(name)}/placement`, wish),
    move: (name, to) => call(stream, 'POST', `${of(name)}/move`, to),
    servers: () => pages(serverPage, '/api/servers'),
    drain: (id, to) => call(server, 'POST', `/api/servers/${encodeURIComponent(id)}/${to}`),
    async upload(file, onProgress = () => {}) {
      const target = new URL(`${url}/api/media/upload`)
      const options = { field: 'media_file', file, headers: { ...headers, prefer: `wait=${UPLOAD_WAIT_S}` }, onProgress }
      const { status, text } = await uploadFile(target, options).catch((cause: NodeJS.ErrnoException) => {
        throw cause.syscall === 'open' || cause.syscall === 'read' ? cause : unreachable(url, cause)
      })
      let found = read(media, url, status, text)
      for (; found.state === 'processing'; await sleep(LOOK_EVERY_MS)) found = await call(media, 'GET', `/api/media/${found.id}`)
      if (found.state === 'failed') throw new ApiRefusal(422, found.problem ?? 'This file can not be imported.')
      return found
    },
    sweepMedia: (wish) => call(swept, wish === 'look' ? 'GET' : 'POST', '/api/media/sweep'),
    readiness: () => call(readiness, 'GET', '/readyz', undefined, [503]),
  }
}

/** True for a refusal with this status. */
export function isRefusal(error: unknown, status: number): boolean {
  return error instanceof ApiRefusal && error.status === status
}

function read<T>(schema: z.ZodType<T>, url: string, status: number, text: string): T {
  const json = parseJson(text)
  if (status >= 300) {
    const said = refusal.safeParse(json)
    throw new ApiRefusal(status, said.success ? said.data.message : `${url} answered with status ${status}`)
  }
  const found = schema.safeParse(json)
  if (!found.success) throw new AppError('HOST_UNREACHABLE', `What answers at ${url} is no Skipcast of this version`)
  return found.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function unreachable(url: string, cause: unknown): AppError {
  return new AppError('HOST_UNREACHABLE', `No Skipcast answers at ${url}`, { cause })
}

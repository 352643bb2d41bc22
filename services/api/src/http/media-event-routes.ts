import { Readable } from 'node:stream'
import type { Media, Sight } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { mediaParams } from './inputs.ts'
import { mediaJobBody, showMedia, showMediaJob } from './media-views.ts'

const tags = ['media']
/** Jobs of a piece that are told: the newest. */
const MOST_JOBS = 20
/** A line that nobody reads, so that whoever is between does not take the connection for dead. */
const QUIET_MS = 15_000

const response = { 200: { description: 'Events', content: { 'text/event-stream': { schema: z.unknown() } } } }

export function mediaEventRoutes(app: App, ports: ApiPorts): void {
  const { stores } = ports
  /** How many follow, by who they are. */
  const followers = new Map<string, number>()
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())

  app.get('/api/media/:media/jobs', {
    config: { access: 'media:read', ofOwnPieces: true },
    schema: {
      tags,
      summary: 'List the newest work on a piece',
      description: `Importing, cutting and converting, writing tags, making covers: the ${MOST_JOBS} newest, newest first.`,
      params: mediaParams,
      response: { 200: z.object({ data: z.array(mediaJobBody) }) },
    },
    handler: async ({ media }) => ({ data: (await stores.mediaJobs.list(media.id, MOST_JOBS)).map(showMediaJob) }),
  })

  app.get('/api/media/:media/events', {
    config: { access: 'media:read', ofOwnPieces: true },
    schema: {
      tags,
      summary: 'Follow the work on a piece',
      description:
        'Server-sent events: `job` (as in the list of jobs) and `media` (its record), of each first what it is and then each change; `complete` once nothing is left to do, and the end.',
      params: mediaParams,
      response,
    },
    async handler({ actor, media, sight }, reply) {
      const own = followers.get(actor.id) ?? 0
      const all = followers.values().reduce((sum, count) => sum + count, 0)
      if (all >= ports.settings.maxEventClients || own >= ports.settings.maxEventClientsPerAddress)
        throw new AppError('TOO_MANY_REQUESTS', 'Too many follow events at once. Close one, or try again in a minute.')
      followers.set(actor.id, own + 1)
      const gone = new AbortController()
      reply.raw.once('close', () => {
        const left = followers.get(actor.id)! - 1
        if (left > 0) followers.set(actor.id, left)
        else followers.delete(actor.id)
        gone.abort()
      })
      void reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
      const stop = AbortSignal.any([gone.signal, closing.signal])
      return reply.send(Readable.from(follow(ports, media, sight, stop), { objectMode: false }))
    },
  })
}

async function* follow({ stores, mediaNews }: ApiPorts, { id }: Media, sight: Sight, stop: AbortSignal): AsyncGenerator<string> {
  const told = new Map<string, string>()
  let saidAt = performance.now()
  while (!stop.aborted) {
    const jobs = (await stores.mediaJobs.list(id, MOST_JOBS)).toReversed()
    const media = await stores.media.find(id)
    const news = [
      ...jobs.map((job) => ['job', job.id, JSON.stringify(showMediaJob(job))] as const),
      ...(media ? [['media', id, JSON.stringify(showMedia(media, sight))] as const] : []),
    ].filter(([, about, data]) => told.get(about) !== data)
    for (const [event, about, data] of news) {
      told.set(about, data)
      yield `event: ${event}\ndata: ${data}\n\n`
    }
    const isBusy = jobs.some(({ state }) => state === 'waiting' || state === 'running')
    if (!media || !isBusy) {
      yield 'event: complete\ndata: {}\n\n'
      return
    }
    if (news.length > 0) saidAt = performance.now()
    else if (performance.now() - saidAt > QUIET_MS) {
      saidAt = performance.now()
      yield ': still here\n\n'
    }
    await mediaNews.next(id, stop)
  }
}

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { streamFeed, type Picture, type Subscription } from '../stream-feed.ts'
import { allStreams } from './all-streams.ts'
import type { App } from './app-type.ts'
import { eventText } from './event-text.ts'
import { channelParams } from './inputs.ts'
import { addressOf } from './rate-limit.ts'

const tags = ['streams']
/** Of a client that does not read, beside what its socket takes. The bytes are those that all clients share. */
const MOST_BUFFERED_BYTES = 16 * 1024
/** Who is told of private channels is asked again so often who they are: the connection ends, and clients come back by themselves. */
const ASKED_ANEW_MS = 300_000

const description =
  'Server-sent events. First a `stream` event (`{channel, stream}`, see the status) for each channel and one `complete`, also after a break with `Last-Event-ID`; then a `stream` for each change of status or of what is on, and `gone` for a channel that was deleted, or that nobody but its owner may know of any more. Of private channels their owner and admins are told alone; they are hung up on after five minutes, and come back.'
/** OpenAPI 3.1 has no words for the shape of events; what `data` is, the description says. */
const response = { 200: { description: 'Events without end', content: { 'text/event-stream': { schema: z.unknown() } } } }

export function eventRoutes(app: App, ports: ApiPorts): void {
  const feed = streamFeed({
    read: () => readPictures(ports),
    onChange: (listener) => ports.onStatusChange(listener),
    maxClients: ports.settings.maxEventClients,
    maxClientsPerAddress: ports.settings.maxEventClientsPerAddress,
  })
  app.addHook('preClose', async () => feed[Symbol.dispose]())

  app.get('/api/events', {
    config: { access: 'open' },
    schema: { tags, summary: 'Follow all channels', description, response },
    handler: async (request, reply) => send(reply, feed.subscribe(null, request.sight, addressOf(request))),
  })

  app.get('/api/channels/:channel/events', {
    config: { access: 'open' },
    schema: { tags, summary: 'Follow a channel', description, params: channelParams, response },
    handler: async (request, reply) => send(reply, feed.subscribe(request.channel.id, request.sight, addressOf(request))),
  })
}

async function readPictures(ports: ApiPorts): Promise<Picture[]> {
  return (await allStreams(ports)).map(({ of, event }) => {
    // Each heartbeat confirms what is known; that alone is no event.
    const essence = { ...event, stream: { ...event.stream, observed_at: null } }
    return { channelId: of.id, audience: of, data: JSON.stringify(event), essence: JSON.stringify(essence) }
  })
}

function send(reply: FastifyReply, subscription: Subscription): FastifyReply {
  const hangUp = () => reply.raw.destroy()
  const { sight } = reply.request
  const end = () => subscription[Symbol.dispose]()
  const limit = sight === 'public' ? undefined : setTimeout(end, ASKED_ANEW_MS).unref()
  reply.raw.once('close', () => {
    clearTimeout(limit)
    end()
  })
  void reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
  return reply.send(Readable.from(eventText(subscription, hangUp), { objectMode: false, highWaterMark: MOST_BUFFERED_BYTES }))
}

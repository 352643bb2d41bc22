import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { importMedia } from '../import-media.ts'
import type { ApiPorts } from '../ports.ts'
import { removeMedia } from '../remove-media.ts'
import { reserveRoom } from '../reserve-room.ts'
import type { App } from './app-type.ts'
import { mediaChange, mediaList, mediaParams, toListRequest } from './inputs.ts'
import { onlyFile } from './only-file.ts'
import { mediaBody, pageBody, showMedia, showPage } from './views.ts'

const tags = ['media']
/** What a form has beside its file. */
const FORM_ROOM_BYTES = 64 * 1024

export function mediaRoutes(app: App, ports: ApiPorts): void {
  const { stores, settings } = ports

  /** The room that is reserved meanwhile is given back before anybody is answered. */
  async function takeIn(request: FastifyRequest): Promise<Media> {
    const announced = Number(request.headers['content-length'] ?? settings.mediaMaxBytes)
    await using _room = await reserveRoom(ports, request.actor.id, announced)
    const { fileName, bytes } = await onlyFile(request, 'media_file', settings.mediaMaxBytes)
    return await importMedia(ports, { ownerId: request.actor.id, fileName, bytes })
  }

  app.post('/api/media/upload', {
    config: { access: 'media:create', refusals: [409, 422, 507] },
    schema: {
      tags,
      summary: 'Upload a piece of music',
      description:
        'Any usual audio format, or a video’s sound. It is made into the one format that is sent to listeners; the file itself is not kept.',
      consumes: ['multipart/form-data'],
      body: z.object({ media_file: z.file() }),
      response: { 201: mediaBody },
    },
    validatorCompiler: () => () => true, // the body is read as it comes
    onRequest: async (request) => refuseAnnounced(request, settings.mediaMaxBytes),
    handler: async (request, reply) => reply.code(201).send(showMedia(await takeIn(request))),
  })

  app.get('/api/media', {
    config: { access: 'media:read' },
    schema: {
      tags,
      summary: 'List your media',
      description: 'An admin sees everybody’s.',
      querystring: mediaList,
      response: { 200: pageBody(mediaBody) },
    },
    async handler({ actor, query }) {
      const ownerId = actor.role === 'admin' ? null : actor.id
      return showPage(await stores.media.list(ownerId, toListRequest(query)), query, showMedia)
    },
  })

  app.get('/api/media/:media', {
    config: { access: 'media:read' },
    schema: { tags, summary: 'Read a piece’s record', params: mediaParams, response: { 200: mediaBody } },
    handler: async ({ media }) => showMedia(media),
  })

  app.put('/api/media/:media', {
    config: { access: 'media:change' },
    schema: {
      tags,
      summary: 'Cut the ends of a piece',
      description:
        'At first it is heard from its first sound to its last, as measured at upload. Heeded by channels in mode encode; running ones take it over.',
      params: mediaParams,
      body: mediaChange,
      response: { 200: mediaBody },
    },
    async handler({ media: { id }, body }) {
      const decide = (media: Media) => {
        const cueInMs = body.cue_in_ms ?? media.cueInMs
        const cueOutMs = body.cue_out_ms === undefined ? media.cueOutMs : body.cue_out_ms
        if (cueInMs >= (cueOutMs ?? media.durationMs))
          throw new AppError('BAD_REQUEST', 'cue_in_ms: must be before cue_out_ms and before the end of the piece')
        if (cueOutMs !== null && cueOutMs > media.durationMs)
          throw new AppError('BAD_REQUEST', `cue_out_ms: must be up to ${media.durationMs}, where the piece ends, or null`)
        return { cueInMs, cueOutMs }
      }
      return showMedia(await stores.media.change(id, decide))
    },
  })

  app.delete('/api/media/:media', {
    config: { access: 'media:delete', refusals: [409] },
    schema: {
      tags,
      summary: 'Delete a piece',
      description: 'It leaves all playlists. The last piece of a running stream can not be deleted.',
      params: mediaParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ media }, reply) {
      await removeMedia(ports, media.id)
      return reply.code(204).send()
    },
  })
}

/** Who says beforehand that too much will come need not send it. What is not announced is counted as it comes. */
function refuseAnnounced({ headers }: FastifyRequest, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes + FORM_ROOM_BYTES)
    throw new AppError('TOO_LARGE', `A file may have up to ${maxBytes} bytes.`)
}

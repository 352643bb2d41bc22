import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { forgetFailed, importMedia } from '../import-media.ts'
import { untilProcessed } from '../media-news.ts'
import type { ApiPorts } from '../ports.ts'
import { reserveRoom } from '../reserve-room.ts'
import type { App } from './app-type.ts'
import { changePiece } from '../change-piece.ts'
import { mediaParams, toListRequest } from './inputs.ts'
import { mediaChange, mediaList } from './media-inputs.ts'
import { onlyFile } from './only-file.ts'
import { preferredWaitMs } from './prefer-wait.ts'
import { duplicateBody, mediaBody, showMedia } from './media-views.ts'
import { pageBody, showPage } from './views.ts'

const tags = ['media']
/** What a form has beside its file. */
const FORM_ROOM_BYTES = 64 * 1024

export function mediaRoutes(app: App, ports: ApiPorts): void {
  const { stores, settings } = ports
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort())

  for (const url of ['/api/media/upload', '/api/media'])
    app.post(url, {
      config: { access: 'media:create', refusals: [409, 422, 503, 507] },
      schema: {
        tags,
        summary: url === '/api/media' ? 'Upload a piece of music (the other path)' : 'Upload a piece of music',
        description:
          'Any usual audio format, or a video’s sound. It is kept, and made into the one format that is sent to listeners: until then its state is `processing`. With `Prefer: wait=20` the answer comes once that is done, up to so many seconds later; what is no music is then refused, and forgotten. Who has uploaded the same file already is answered with that piece.',
        consumes: ['multipart/form-data'],
        body: z.object({ media_file: z.file() }),
        response: { 200: duplicateBody, 201: mediaBody },
      },
      validatorCompiler: () => () => true, // the body is read as it comes
      onRequest: async (request) => refuseAnnounced(request, settings.mediaMaxBytes),
      async handler(request, reply) {
        const { media, isNew } = await receive(request)
        const processed = await waitAsPreferred(request, reply, media)
        if (processed.state === 'failed') {
          await forgetFailed(ports, processed)
          throw new AppError('UNPROCESSABLE', processed.problem ?? 'This file can not be imported.')
        }
        if (isNew) return reply.code(201).send(showMedia(processed, request.sight))
        return reply.code(200).send({ ...showMedia(processed, request.sight), duplicate_of: processed.id })
      },
    })

  /** The room that is reserved meanwhile is given back before anybody is answered. */
  async function receive(request: FastifyRequest): ReturnType<typeof importMedia> {
    const announced = Number(request.headers['content-length'] ?? settings.mediaMaxBytes)
    await using _room = await reserveRoom(ports, request.actor.id, { kind: 'file', sizeBytes: announced })
    const { fileName, bytes } = await onlyFile(request, 'media_file', settings.mediaMaxBytes)
    return await importMedia(ports, { ownerId: request.actor.id, fileName, bytes })
  }

  async function waitAsPreferred(request: FastifyRequest, reply: FastifyReply, media: Media): Promise<Media> {
    const waitMs = preferredWaitMs(request.headers.prefer)
    if (waitMs === 0) return media
    void reply.header('preference-applied', `wait=${waitMs / 1000}`)
    const hungUp = new AbortController()
    reply.raw.once('close', () => hungUp.abort())
    const stop = AbortSignal.any([hungUp.signal, closing.signal, AbortSignal.timeout(waitMs)])
    return untilProcessed({ media: stores.media, news: ports.mediaNews }, media.id, stop)
  }

  app.get('/api/media', {
    config: { access: 'media:read' },
    schema: {
      tags,
      summary: 'List media',
      description: '`total` is counted up to 10,000.',
      querystring: mediaList,
      response: { 200: pageBody(mediaBody) },
    },
    async handler({ actor, sight, query }) {
      const { of, state, kind } = query
      const whose =
        of === 'public'
          ? { ownerId: null, visibility: 'public' as const, state: 'ready' as const }
          : { ownerId: actor.role === 'admin' ? null : actor.id, state }
      const found = await stores.media.list({ ...whose, kind, isTrashed: false }, toListRequest(query))
      return showPage(found, query, (media) => showMedia(media, sight))
    },
  })

  app.get('/api/media/:media', {
    config: { access: 'media:read' },
    schema: { tags, summary: 'Read a piece’s record', params: mediaParams, response: { 200: mediaBody } },
    handler: async ({ media, sight }) => showMedia(media, sight),
  })

  app.put('/api/media/:media', {
    config: { access: 'media:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Change a piece',
      description:
        'What is absent stays. Its title and the like are written into its file too, which takes a moment (GET …/jobs). At first a piece is heard from its first sound to its last, as measured at import: cue points are heeded by channels in mode encode; running ones take them over.',
      params: mediaParams,
      body: mediaChange,
      response: { 200: mediaBody },
    },
    handler: async ({ media, sight, body }) => showMedia(await changePiece(ports, media.id, body), sight),
  })

  app.delete('/api/media/:media', {
    config: { access: 'media:delete', refusals: [409] },
    schema: {
      tags,
      summary: 'Delete a piece',
      description:
        'It goes to the trash (POST /api/media/trash/restore), and no channel plays it any more. The last piece of a running stream can not be deleted.',
      params: mediaParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ media }, reply) {
      await stores.mediaTrash.put(media.id)
      return reply.code(204).send()
    },
  })
}

/** Who says beforehand that too much will come need not send it. What is not announced is counted as it comes. */
function refuseAnnounced({ headers }: FastifyRequest, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes + FORM_ROOM_BYTES)
    throw new AppError('TOO_LARGE', `A file may have up to ${maxBytes} bytes.`)
}

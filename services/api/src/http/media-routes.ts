import { AppError, isAppError, messageOf } from '@skipcast/runtime'
import { z } from 'zod'
import { importMedia } from '../import-media.ts'
import type { ApiPorts } from '../ports.ts'
import { removeMedia } from '../remove-media.ts'
import type { App } from './app.ts'
import { mediaList, mediaParams, toListRequest } from './inputs.ts'
import { mediaBody, pageBody, showMedia, showPage } from './views.ts'

const tags = ['media']

export function mediaRoutes(app: App, ports: ApiPorts): void {
  const { stores, settings } = ports

  app.post('/api/media/upload', {
    config: { access: 'maker', refusals: [422, 507] },
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
    async handler(request, reply) {
      const file = await request.file({ limits: { fileSize: settings.mediaMaxBytes + 1 } }).catch(refuseForm)
      if (!file) throw new AppError('BAD_REQUEST', 'media_file: is missing')
      if (file.fieldname !== 'media_file') throw new AppError('BAD_REQUEST', `The file belongs into the field media_file.`)
      const upload = { ownerId: request.actor.id, fileName: file.filename, stream: file.file }
      const media = await importMedia(ports, upload).catch((error: unknown) =>
        file.file.errored ? refuseForm(error) : Promise.reject(error),
      )
      return reply.code(201).send(showMedia(media))
    },
  })

  app.get('/api/media', {
    config: { access: 'signed_in' },
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
    config: { access: 'media_owner' },
    schema: { tags, summary: 'Read a piece’s record', params: mediaParams, response: { 200: mediaBody } },
    handler: async ({ media }) => showMedia(media),
  })

  app.delete('/api/media/:media', {
    config: { access: 'media_owner', refusals: [409] },
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

/** What the reader of forms throws, and neither Fastify nor the disk: no boundary, broken headers, an early end. */
function refuseForm(error: unknown): never {
  const { statusCode, errno } = error as { statusCode?: number; errno?: number }
  if (isAppError(error) || statusCode !== undefined || errno !== undefined) throw error
  throw new AppError('BAD_REQUEST', `The form can not be read: ${messageOf(error)}`, { cause: error })
}

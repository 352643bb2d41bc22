import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Upload } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { tusHandler, TusRefusal } from './tus.ts'
import { finishUpload } from '../finish-upload.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'

const tags = ['media']
const PATH = '/api/media/uploads'
const BYTES = 'application/offset+octet-stream'
/** Of what the protocol answers, this is passed on: not its headers for other origins. */
const ANSWERED = /^(location|upload-.*|tus-.*|media-location|cache-control|connection)$/

const version = z.string().max(20).optional().meta({ description: '1.0.0' })
const createHeaders = z.looseObject({
  'tus-resumable': version,
  'upload-length': z.string().max(20).optional().meta({ description: 'The size of the file in bytes.' }),
  'upload-metadata': z.string().max(4000).optional().meta({ description: '`filename`, a space, and the file’s name in base64.' }),
})
const headHeaders = z.looseObject({ 'tus-resumable': version })
const patchHeaders = z.looseObject({
  'tus-resumable': version,
  'upload-offset': z.string().max(20).optional().meta({ description: 'How much is there already, in bytes.' }),
})
const params = z.object({ upload: z.string().regex(/^[0-9a-f-]{36}$/, 'must be an id') })

/** Resumable uploads, as clients of tus 1.0 make them. */
export function uploadRoutes(app: App, ports: ApiPorts): void {
  const { stores, uploadFiles, settings } = ports
  const handle = tusHandler({
    rows: stores.uploads,
    files: uploadFiles,
    locks: ports.locks,
    path: PATH,
    maxBytes: settings.mediaMaxBytes,
    quotaBytes: settings.mediaQuotaBytes,
    finish: (id) => finishUpload(ports, id),
  })
  app.addContentTypeParser(BYTES, (_request, _bytes, done) => done(null)) // they are read as they come

  /** Whatever their role: nobody adds to what another is sending. What only takes room, for a form or a picture, is none: it goes when that does. */
  async function requireOwn({ params, actor }: FastifyRequest): Promise<Upload> {
    const upload = await stores.uploads.find((params as { upload: string }).upload)
    if (upload?.ownerId !== actor.id || upload.place === '') throw new AppError('NOT_FOUND', 'There is no such upload.')
    return upload
  }

  async function answerOwner(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await requireOwn(request)
    return answer(request, reply)
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    void reply.header('tus-resumable', '1.0.0')
    try {
      const response = await handle(toWeb(request, settings.publicUrl), request.actor?.id)
      for (const [name, value] of response.headers) if (ANSWERED.test(name)) void reply.header(name, value)
      return reply.code(response.status).send()
    } catch (error) {
      if (!(error instanceof TusRefusal)) throw error
      const status = error.status >= 500 ? 400 : error.status // what the protocol can and we do not is the caller's to leave
      if (status === 412) void reply.header('tus-version', '1.0.0')
      return reply.code(status).send({ error: REFUSALS[status] ?? 'BAD_REQUEST', message: error.message })
    }
  }

  app.options(PATH, {
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'What resumable uploads can do',
      description: 'In headers: `Tus-Version`, `Tus-Extension`, `Tus-Max-Size`.',
      response: { 204: z.undefined().describe('See the headers') },
    },
    handler: answer,
  })

  app.post(PATH, {
    config: { access: 'media:create', refusals: [400, 409, 412, 413, 415, 422, 507] },
    schema: {
      tags,
      summary: 'Begin a resumable upload',
      description:
        'By tus 1.0 (tus.io), with any client of it. `Location` is where the bytes go; it is there for a day. The whole size counts as used from now on.',
      headers: createHeaders,
      response: { 201: z.undefined().describe('Send the bytes to `Location`') },
    },
    handler: answer,
  })

  app.head(`${PATH}/:upload`, {
    config: { access: 'media:create', refusals: [410, 412, 422, 423] },
    schema: {
      tags,
      summary: 'How much of an upload is there',
      description: '`Upload-Offset` says it; `Media-Location` is the piece that it became.',
      params,
      headers: headHeaders,
      response: { 200: z.undefined().describe('See the headers') },
    },
    async handler(request, reply) {
      const { mediaId } = await requireOwn(request)
      if (mediaId !== null) void reply.header('media-location', `/api/media/${mediaId}`)
      return answer(request, reply)
    },
  })

  app.patch(`${PATH}/:upload`, {
    config: { access: 'media:create', refusals: [403, 409, 410, 412, 413, 415, 422, 423, 507] },
    schema: {
      tags,
      summary: 'Send the next bytes of an upload',
      description:
        'With the last byte it becomes a piece: `Media-Location` says which, and GET …/events how far its import is. What is no music is then `failed`.',
      consumes: [BYTES],
      params,
      headers: patchHeaders,
      response: { 204: z.undefined().describe('`Upload-Offset` says how much is there now') },
    },
    handler: answerOwner,
  })

  app.delete(`${PATH}/:upload`, {
    config: { access: 'media:create', refusals: [410, 412, 423] },
    schema: {
      tags,
      summary: 'Give up an upload',
      params,
      headers: headHeaders,
      response: { 204: z.undefined().describe('It is gone') },
    },
    handler: answerOwner,
  })
}

const REFUSALS: Readonly<Record<number, string>> = {
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  413: 'TOO_LARGE',
}

/** The same request as the library wants it: with the address that was asked for permission, and nothing after it, as it takes the id from the very end. */
function toWeb({ raw, method, params, headers }: FastifyRequest, publicUrl: string): Request {
  const { upload } = params as { upload?: string }
  const given = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as [string, string])
  const hasBody = method === 'PATCH' || method === 'POST'
  if (method === 'PATCH' && headers['content-type'] === undefined) given.push(['content-type', BYTES]) // nothing more to send
  const body = hasBody ? (Readable.toWeb(raw) as ReadableStream<Uint8Array>) : null
  return new Request(new URL(upload === undefined ? PATH : `${PATH}/${upload}`, publicUrl), {
    method,
    headers: given,
    body,
    ...(hasBody && { duplex: 'half' }),
  })
}

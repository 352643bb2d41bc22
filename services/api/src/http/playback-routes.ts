import type { Media } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fileOf, isPartForAll, mediaParts, type MediaPart, type ServedFile } from '../domain/media-parts.ts'
import { reachOf } from '../domain/roles.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { mediaParams } from './inputs.ts'
import { sendFile } from './send-file.ts'

const tags = ['media']
const DEFAULT_S = 3600
const MAX_S = 7 * 24 * 3600
/** Links that are asked for at about the same time are the same, so that caches in between know them. */
const STEP_S = 300
/** A cache asks again after so long, as a link may have ended meanwhile; what it has is then mostly still right (304). */
const CACHED_S = 300

const linkQuery = z.strictObject({
  part: z.enum(mediaParts).default('file'),
  expires_in_s: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_S))
    .default(DEFAULT_S)
    .meta({ description: `It lasts so long, or up to ${STEP_S} s longer.` }),
})

const linkBody = z.object({ url: z.string(), expires_at: z.iso.datetime() }).meta({ id: 'MediaLink' })

const signedQuery = z.object({
  expires: z.string().optional().meta({ description: 'Of a link: until when it is good, in seconds since 1970.' }),
  signature: z.string().max(200).optional().meta({ description: 'Of a link. Who has it needs no token.' }),
})

const fileBody = (description: string) => ({ description, content: { 'application/octet-stream': { schema: z.file() } } })
const unchanged = z.undefined().describe('It is what you have')

const SUMMARIES: Readonly<Record<MediaPart, string>> = {
  file: 'Listen to a piece',
  original: 'Download the file of a piece',
  cover: 'See the cover of a piece',
  waveform: 'Draw a piece: JSON of audiowaveform',
}
const WHO: Readonly<Record<MediaPart, string>> = {
  file: '',
  original: ' Others than its owner may, where the piece is public and `downloadable`.',
  cover: '',
  waveform: '',
}

/** The files of pieces, for who may have them or has a link, and the links. */
export function playbackRoutes(app: App, { mediaStore, mediaLinks, settings }: ApiPorts): void {
  for (const part of mediaParts)
    app.route({
      method: ['GET', 'HEAD'],
      url: `/api/media/:media/${part}`,
      config: { access: 'media:read', signedPart: part, refusals: [416] },
      schema: {
        tags,
        summary: SUMMARIES[part],
        description:
          'Whole or in part (`Range`), with an `ETag`. With a link of `GET /api/media/{media}/url` nobody needs a token.' +
          WHO[part],
        params: mediaParams,
        querystring: signedQuery,
        response: { 200: fileBody('All of it'), 206: fileBody('The part that was asked for'), 304: unchanged },
      },
      async handler(request, reply) {
        if (request.linkExpiresAt === null) requireMayHave(request, part)
        return sendFile(mediaStore, request, reply, {
          file: existing(request.media, part),
          cacheControl: cacheControlOf(request),
          disposition: part === 'original' ? 'attachment' : 'inline',
        })
      },
    })

  app.get('/api/media/:media/url', {
    config: { access: 'media:read' },
    schema: {
      tags,
      summary: 'Make a link to a piece’s file',
      description: `Whoever has it may have the file until it expires, or the piece is deleted, or its file is another. One made while the piece is public is good only while it is. Caches may have it for ${CACHED_S} s more.`,
      params: mediaParams,
      querystring: linkQuery,
      response: { 200: linkBody },
    },
    async handler(request, reply) {
      const { media } = request
      const { part, expires_in_s: lastsS } = request.query
      requireMayHave(request, part)
      const expiresAt = Math.ceil((Date.now() / 1000 + lastsS) / STEP_S) * STEP_S
      const { sha256 } = existing(media, part).key
      const signature = mediaLinks.sign({ part, mediaId: media.id, sha256, isForAll: isPartForAll(media, part), expiresAt })
      const url = `${settings.publicUrl}/api/media/${media.id}/${part}?expires=${expiresAt}&signature=${signature}`
      void reply.header('cache-control', 'no-store')
      return { url, expires_at: new Date(expiresAt * 1000).toISOString() }
    },
  })
}

/** What a link leads to is the same content until it ends; what a piece has may change, so that its owner asks each time whether it did. */
function cacheControlOf({ linkExpiresAt }: FastifyRequest): string {
  if (linkExpiresAt === null) return 'private, no-cache'
  return `public, max-age=${Math.min(CACHED_S, Math.max(0, linkExpiresAt - Math.ceil(Date.now() / 1000)))}`
}

/** Whoever may read a piece may hear it; its file is its owner's to give away. */
function requireMayHave({ actor, media }: FastifyRequest, part: MediaPart): void {
  if (isPartForAll(media, part) || media.ownerId === actor.id || reachOf(actor.role, 'media:read') === 'any') return
  throw new AppError('FORBIDDEN', 'Its owner does not let others have this file.')
}

function existing(media: Media, part: MediaPart): ServedFile {
  const file = fileOf(media, part)
  if (!file) throw new AppError('NOT_FOUND', 'This piece has no such file.')
  return file
}

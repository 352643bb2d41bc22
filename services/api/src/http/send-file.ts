import { createHash } from 'node:crypto'
import type { MediaStore } from '@skipcast/media-store'
import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { wantedBytes } from '../domain/byte-range.ts'
import type { ServedFile } from '../domain/media-parts.ts'

export interface SendOptions {
  readonly file: ServedFile
  readonly cacheControl: string
  readonly disposition: 'inline' | 'attachment'
}

/**
 * Answers with a file of the media store, or with a part of it: `Range`, `If-Range` and `If-None-Match` (RFC 9110), GET and HEAD. What it is, is ours to say: nothing
 * in it can become a page of this origin. Rejects with MEDIA_MISSING or STORE_UNAVAILABLE before anything was sent.
 */
export async function sendFile(
  store: MediaStore,
  request: FastifyRequest,
  reply: FastifyReply,
  { file, cacheControl, disposition }: SendOptions,
): Promise<FastifyReply> {
  const { key, contentType, fileName } = file
  const stored = await store.stat(key)
  if (!stored) throw new AppError('MEDIA_MISSING', 'The media store has no such file; upload it again')
  const { sizeBytes } = stored
  const etag = `"${createHash('sha256').update(key.sha256).digest('base64url')}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': cacheControl,
    'content-disposition': dispositionOf(disposition, fileName),
    'content-security-policy': "default-src 'none'; sandbox",
  })
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers
  if (ifNoneMatch !== undefined && isAmong(etag, ifNoneMatch)) return reply.code(304).send()
  const wanted = ifRange !== undefined && ifRange !== etag ? wantedBytes(undefined, sizeBytes) : wantedBytes(range, sizeBytes)
  if (wanted.kind === 'unsatisfiable') {
    void reply.removeHeader('cache-control').header('content-range', `bytes */${sizeBytes}`)
    throw new AppError('RANGE_INVALID', `This file has ${sizeBytes} bytes, and none of those.`)
  }
  if (wanted.kind === 'part') {
    void reply.code(206).header('content-range', `bytes ${wanted.first}-${wanted.last}/${sizeBytes}`)
  }
  const length = wanted.kind === 'part' ? wanted.last - wanted.first + 1 : sizeBytes
  void reply.type(contentType).header('content-length', length)
  if (request.method === 'HEAD') return reply.send()
  return reply.send(await store.open(key, wanted.kind === 'part' ? wanted : undefined))
}

/** Weak comparison: ours is a strong one, of the content alone. */
function isAmong(etag: string, list: string): boolean {
  return list.trim() === '*' || list.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
}

/** The name for those who know RFC 5987, and what is left of it in ASCII for the rest. */
function dispositionOf(disposition: string, fileName: string): string {
  const plain = fileName.replaceAll(/[^\w .()-]/g, '_')
  const encoded = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16)}`,
  )
  return `${disposition}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

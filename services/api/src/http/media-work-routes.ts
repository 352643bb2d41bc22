import type { Channel } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { changeCover, derivePiece, removeCover } from '../make-of-piece.ts'
import type { ApiPorts } from '../ports.ts'
import { MOST_PICTURE_BYTES } from '../take-picture.ts'
import type { App } from './app-type.ts'
import { channelBody, showChannel } from './channel-views.ts'
import { mediaParams } from './inputs.ts'
import { conversion, someChannelIds, trim } from './media-inputs.ts'
import { mediaBody, showMedia } from './media-views.ts'
import { onlyFile } from './only-file.ts'

const tags = ['media']
const made = { 201: mediaBody.describe('Another piece, which is processed') }

/** What can be made of a piece, and the channels that it is put on. */
export function mediaWorkRoutes(app: App, ports: ApiPorts): void {
  const { stores } = ports

  app.post('/api/media/:media/convert', {
    config: { access: 'media:create', refusals: [409] },
    schema: {
      tags,
      summary: 'Make a piece in another format of this one',
      description: 'It is a piece of its own, of the same owner; this one stays as it is.',
      params: mediaParams,
      body: conversion,
      response: made,
    },
    async handler({ media, sight, body }, reply) {
      return reply.code(201).send(showMedia(await derivePiece(ports, media, { format: body.format }), sight))
    },
  })

  app.post('/api/media/:media/trim', {
    config: { access: 'media:create', refusals: [409] },
    schema: {
      tags,
      summary: 'Make a piece of a part of this one',
      description:
        'Exact to the sample, in the format of this one or the one nearest to it. It is a piece of its own, of the same owner.',
      params: mediaParams,
      body: trim,
      response: made,
    },
    async handler({ media, sight, body: { from_ms: fromMs, to_ms: toMs } }, reply) {
      return reply
        .code(201)
        .send(showMedia(await derivePiece(ports, media, { fromMs, ...(toMs !== undefined && { toMs }) }), sight))
    },
  })

  app.put('/api/media/:media/cover', {
    config: { access: 'media:change', refusals: [409, 413, 503, 507] },
    schema: {
      tags,
      summary: 'Give a piece a cover',
      description: `A PNG, JPEG, WebP or GIF of up to ${MOST_PICTURE_BYTES} bytes. It is made small and harmless, and goes into the piece’s file, which takes a moment: GET …/jobs.`,
      consumes: ['multipart/form-data'],
      params: mediaParams,
      body: z.object({ cover: z.file() }),
      response: { 202: mediaBody },
    },
    validatorCompiler:
      ({ httpPart }) =>
      (data: unknown) =>
        httpPart === 'body' ? true : { value: data },
    async handler(request, reply) {
      const { bytes } = await onlyFile(request, 'cover', MOST_PICTURE_BYTES)
      return reply.code(202).send(showMedia(await changeCover(ports, request.media, bytes), request.sight))
    },
  })

  app.delete('/api/media/:media/cover', {
    config: { access: 'media:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Take the cover off a piece',
      description: 'Also what is in the making.',
      params: mediaParams,
      response: { 200: mediaBody },
    },
    handler: async ({ media, sight }) => showMedia(await removeCover(ports, media), sight),
  })

  const url = '/api/media/:media/channels'
  const changed = z.object({ message: z.string(), channels: z.array(channelBody) })

  app.post(url, {
    config: { access: 'playlists:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Append a piece to the playlists of channels',
      description: 'Your own channels; those that have it already keep it where it is.',
      params: mediaParams,
      body: someChannelIds,
      response: { 200: changed },
    },
    async handler(request) {
      const { actor, media, body } = request
      const channels: Channel[] = []
      const ownerId = actor.role === 'admin' ? null : actor.id
      for (const { id } of await ownChannels(request, body.channel_ids))
        channels.push(await stores.playlists.attach(id, [media.id], { ownerId }))
      return { message: 'Media attached successfully', channels: channels.map(showChannel) }
    },
  })

  app.delete(url, {
    config: { access: 'playlists:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Take a piece off the playlists of channels',
      description: 'A running stream keeps at least one piece: stop it before taking the last.',
      params: mediaParams,
      body: someChannelIds,
      response: { 200: changed },
    },
    async handler(request) {
      const { media, body } = request
      const channels: Channel[] = []
      for (const { id } of await ownChannels(request, body.channel_ids))
        channels.push(await stores.playlists.detach(id, [media.id]))
      return { message: 'Media detached successfully', channels: channels.map(showChannel) }
    },
  })

  /** All of them before anything is done: those of others are not there. */
  async function ownChannels({ actor }: FastifyRequest, ids: readonly string[]): Promise<Channel[]> {
    const found = await Promise.all([...new Set(ids)].map((id) => stores.channels.find(id)))
    const own = found.filter((channel) => channel && (actor.role === 'admin' || channel.ownerId === actor.id)) as Channel[]
    const known = new Set(own.map(({ id }) => id))
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length === 0) return own
    throw new AppError('NOT_FOUND', 'Some of these channels do not exist, or are not yours.', {
      details: { channel_ids: missing },
    })
  }
}

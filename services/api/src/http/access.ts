import type { ApiToken, Channel, Media, User } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiPorts } from '../ports.ts'

/**
 * Who may call a route. Every route names one of these; one hook enforces it before anything of the request is read.
 * - `public`: anybody
 * - `signed_in`: whoever has a valid token
 * - `maker`: roles dj and admin: they may make channels and media
 * - `channel_owner`: the owner of `{channel}`, or an admin
 * - `media_owner`: the owner of `{media}`, or an admin; for others it does not exist
 * - `token_owner`: whoever `{token}` speaks for, or an admin; for others it does not exist
 * - `admin`: role admin
 */
export type Access = 'public' | 'signed_in' | 'maker' | 'channel_owner' | 'media_owner' | 'token_owner' | 'admin'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Who asks. Only on routes that are not public. */
    actor: User
    /** The channel that the path names. Only on routes with `{channel}`. */
    channel: Channel
    /** The media that the path names. Only on routes with `{media}`. */
    media: Media
    /** The record of the token that the path names by its id. Only on routes with `{token}`. */
    apiToken: ApiToken
  }
}

/** Whatever an id or a slug can be; nothing else ever reaches a query. */
const NAME = /^[a-z0-9-]{1,100}$/

/** `onKnown` is told of each request whose token is valid. */
export function accessHook(
  ports: ApiPorts,
  onKnown: (request: FastifyRequest) => void,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const { accounts, channels, media } = ports.stores

  async function identify(request: FastifyRequest): Promise<User> {
    const token = /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
    const user = token === undefined ? null : (await accounts.identify(token))?.user
    if (user) return user
    throw new AppError('UNAUTHENTICATED', 'A valid token is needed: "Authorization: Bearer <token>".')
  }

  return async function decideAccess(request, reply) {
    const access = request.routeOptions.config.access
    if (access !== 'public') {
      request.actor = await identify(request).catch((error: unknown) => {
        void reply.header('www-authenticate', 'Bearer')
        throw error
      })
      onKnown(request)
    }
    const { channel, media: mediaId, token } = request.params as { channel?: string; media?: string; token?: string }
    if (channel !== undefined) request.channel = (NAME.test(channel) && (await channels.find(channel))) || missing('channel')
    if (mediaId !== undefined) request.media = (NAME.test(mediaId) && (await media.find(mediaId))) || missing('media')
    if (token !== undefined) request.apiToken = (NAME.test(token) && (await accounts.findToken(token))) || missing('token')

    const { actor } = request
    switch (access) {
      case 'public':
      case 'signed_in':
        return
      case 'maker':
        if (actor.role === 'listener') throw new AppError('FORBIDDEN', 'This needs the role dj or admin.')
        return
      case 'channel_owner':
        if (actor.role !== 'admin' && actor.id !== request.channel.ownerId)
          throw new AppError('FORBIDDEN', 'This is for the channel’s owner, or an admin.')
        return
      case 'media_owner':
        if (actor.role !== 'admin' && actor.id !== request.media.ownerId) missing('media')
        return
      case 'token_owner':
        if (actor.role !== 'admin' && actor.id !== request.apiToken.userId) missing('token')
        return
      case 'admin':
        if (actor.role !== 'admin') throw new AppError('FORBIDDEN', 'This needs the role admin.')
        return
      case undefined:
        throw new Error('A route without access')
    }
  }
}

function missing(what: string): never {
  throw new AppError('NOT_FOUND', `There is no such ${what}.`)
}

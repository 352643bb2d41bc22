import type { ApiToken, Channel, Identity, Media, Review, Sight, User } from '@skipcast/db'
import { AppError, isAppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { MediaPart } from '../domain/media-parts.ts'
import { isInScope, needsSession, reachOf, type Permission } from '../domain/roles.ts'
import { isForAll, isInSight, sightOf } from '../domain/sight.ts'
import type { ApiPorts } from '../ports.ts'
import { requireLink } from './links.ts'
import { presentedBy, requireOwnPage, type Presented } from './credentials.ts'

/**
 * Who may call a route: anybody (`open`: and who says who they are sees more), or whoever has this permission (`domain/roles.ts`), for their own or for anybody's.
 * Every route names one; one hook enforces it before anything of the request is read. Channels of others are forbidden; their private channels, their private media
 * and tokens do not exist.
 */
export type Access = 'public' | 'open' | Permission

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Whoever has a link to this part of the piece needs nothing else. */
    signedPart?: MediaPart
    /** Of pieces of others nothing is told here, public ones neither. */
    ofOwnPieces?: true
  }
  interface FastifyRequest {
    /** Who asks, and by what that was proved. Only on routes that need a permission. */
    actor: User
    credential: Identity['credential'] & Presented
    /** Who looks, where that is known. Only on open routes. */
    viewer: User | null
    /** Which channels there are for whoever asks, and whose pieces are shown as their owner sees them. Not on public routes. */
    sight: Sight
    /** The channel that the path names. Only on routes with `{channel}`. */
    channel: Channel
    /** What somebody said of the channel, that the path names. Only on routes with `{review}`. */
    review: Review
    /** The channel in the trash that the path names. Only on routes with `{trashed}`. */
    trashed: Channel
    /** The piece in the trash that the path names. Only on routes with `{trashedPiece}`. */
    trashedPiece: Media
    /** The media that the path names. Only on routes with `{media}`. */
    media: Media
    /** Until when the link is good that this was asked with, in seconds since the epoch; null: it was asked without one. */
    linkExpiresAt: number | null
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
  const { accounts, channels, channelTrash, media, mediaTrash, opinions } = ports.stores

  async function identify(request: FastifyRequest): Promise<void> {
    const presented = presentedBy(request, ports.settings.publicUrl)
    const identity = presented && (await accounts.identify(presented.token))
    if (!identity) throw new AppError('UNAUTHENTICATED', 'A valid token is needed: "Authorization: Bearer <token>".')
    if (presented.by === 'cookie') requireOwnPage(request, ports.settings.publicUrl)
    request.actor = identity.user
    request.credential = { ...identity.credential, ...presented }
    request.sight = sightOf(identity.user, null) // the permission decides
  }

  /** Whoever does not say who they are, or not well, is nobody. */
  async function look(request: FastifyRequest): Promise<void> {
    const presented = presentedBy(request, ports.settings.publicUrl)
    const identity = presented && (await accounts.identify(presented.token))
    request.sight = identity ? sightOf(identity.user, identity.credential.scopes) : 'public'
    request.viewer = identity?.user ?? null
    if (identity) onKnown(request)
  }

  async function find(name: string, sight: Sight): Promise<Channel> {
    const channel = NAME.test(name) ? await channels.find(name) : null
    return channel && isInSight(sight, channel) ? channel : missing('channel')
  }

  async function followLink(request: FastifyRequest, part: MediaPart): Promise<void> {
    const { media: id = '' } = request.params as Partial<Record<string, string>>
    const found = NAME.test(id) ? await media.find(id) : null
    request.linkExpiresAt = requireLink(ports.mediaLinks, found, part, request.query as object)
    request.media = found!
  }

  return async function decideAccess(request, reply) {
    const { access, signedPart } = request.routeOptions.config
    if (access === undefined) throw new Error('A route without access')
    // No database can even be asked for it.
    if (Object.values(request.params as Record<string, string>).some((name) => name.includes('\0')))
      throw new AppError('NOT_FOUND', 'There is nothing of that name.')
    if (signedPart !== undefined && 'signature' in (request.query as object)) return followLink(request, signedPart)
    if (access === 'open') await look(request)
    else if (access !== 'public') {
      await identify(request).catch((error: unknown) => {
        if (isAppError(error, 'UNAUTHENTICATED')) void reply.header('www-authenticate', 'Bearer')
        throw error
      })
      onKnown(request)
      requirePermission(request, access)
    }
    const { channel, review, trashed, trashedPiece, media: mediaId, token } = request.params as Partial<Record<string, string>>
    if (channel !== undefined) request.channel = await find(channel, request.sight)
    if (review !== undefined)
      request.review = (NAME.test(review) && (await opinions.findReview(request.channel.id, review))) || missing('review')
    if (trashed !== undefined) request.trashed = (NAME.test(trashed) && (await channelTrash.find(trashed))) || missing('channel')
    if (trashedPiece !== undefined)
      request.trashedPiece = (NAME.test(trashedPiece) && (await mediaTrash.find(trashedPiece))) || missing('media')
    if (mediaId !== undefined) request.media = (NAME.test(mediaId) && (await media.find(mediaId))) || missing('media')
    if (token !== undefined) request.apiToken = (NAME.test(token) && (await accounts.findToken(token))) || missing('token')
    if (access !== 'public' && access !== 'open') requireOwn(request, access)
  }
}

/** With public pieces of others, too. */
const OPEN_TO_ALL: readonly Permission[] = ['media:read', 'media:like', 'playlists:change']

/** Throws FORBIDDEN where there is nothing that they may do this to: before anything is looked for, so that no answer tells what there is. */
function requirePermission({ actor, credential }: FastifyRequest, permission: Permission): void {
  if (!isInScope(credential.scopes, permission))
    throw new AppError('FORBIDDEN', `This token is not good for ${permission}; make one with this among its scopes.`)
  if (needsSession(permission) && credential.kind !== 'session')
    throw new AppError('FORBIDDEN', 'This needs a session: POST /api/login. No token can do it.')
  if (reachOf(actor.role, permission) === 'none')
    throw new AppError('FORBIDDEN', `The role ${actor.role} may not do this (${permission}).`)
}

/** Throws FORBIDDEN, or NOT_FOUND for what others shall not even know of. */
function requireOwn(
  { actor, routeOptions, channel, review, trashed, trashedPiece, media, apiToken }: FastifyRequest,
  permission: Permission,
): void {
  if (reachOf(actor.role, permission) === 'any') return
  if (review) {
    if (review.userId === actor.id) return
    throw new AppError('FORBIDDEN', 'This is for whoever said it, or an admin.')
  }
  if (channel && channel.ownerId !== actor.id) throw new AppError('FORBIDDEN', 'This is for the channel’s owner, or an admin.')
  if (trashed && trashed.ownerId !== actor.id) missing('channel')
  const isOpenToAll = OPEN_TO_ALL.includes(permission) && !routeOptions.config.ofOwnPieces
  if (media && media.ownerId !== actor.id && !(isOpenToAll && isForAll(media))) missing('media')
  if (trashedPiece && trashedPiece.ownerId !== actor.id) missing('media')
  if (apiToken && apiToken.userId !== actor.id) missing('token')
}

function missing(what: string): never {
  throw new AppError('NOT_FOUND', `There is no such ${what}.`)
}

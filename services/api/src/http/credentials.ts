import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LogIn, SessionKind } from '../ports.ts'
import { showUser } from './views.ts'

/** What a request brings to prove who asks. */
export interface Presented {
  readonly token: string
  readonly by: 'bearer' | 'cookie'
}

const TOKEN = /^[A-Za-z0-9_-]{1,200}$/
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The token of a request; a header of its own comes before a cookie, which the browser sends along by itself. Over TLS only that cookie counts which no other host can
 * have planted.
 */
export function presentedBy({ headers }: FastifyRequest, publicUrl: string): Presented | null {
  const { authorization } = headers
  if (authorization !== undefined) {
    const token = /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(authorization)?.[1]
    return token === undefined ? null : { token, by: 'bearer' }
  }
  for (const pair of headers.cookie?.split('; ') ?? []) {
    const [name, token = ''] = pair.split('=')
    if (name === cookieName(publicUrl) && TOKEN.test(token)) return { token, by: 'cookie' }
  }
  return null
}

/**
 * Lets through only what a page of ours asks for, where the browser may send a cookie along by itself, or is to keep one. Browsers name the origin of every such
 * request. Throws FORBIDDEN.
 */
export function requireOwnPage({ method, headers }: FastifyRequest, publicUrl: string): void {
  if (SAFE_METHODS.has(method)) return
  const isOwn =
    headers.origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : headers.origin === new URL(publicUrl).origin
  if (isOwn) return
  throw new AppError(
    'FORBIDDEN',
    `With a cookie, only pages of ${new URL(publicUrl).origin} (PUBLIC_URL) can do this. Programs send "Authorization: Bearer <token>".`,
  )
}

/** `__Host-`: browsers take such a cookie only over TLS, for all paths, from this very host. */
const SECURE_NAME = '__Host-skipcast_session'
const PLAIN_NAME = 'skipcast_session'
const cookieName = (publicUrl: string) => (publicUrl.startsWith('https:') ? SECURE_NAME : PLAIN_NAME)

/** A cookie that no script can read and that other sites' requests do not bring along; an empty token takes it away. */
export function sessionCookie(publicUrl: string, token: string, expiresAt: Date): string {
  const isSecure = publicUrl.startsWith('https:')
  return `${cookieName(publicUrl)}=${token}; Path=/; HttpOnly; SameSite=Lax; Expires=${expiresAt.toUTCString()}${isSecure ? '; Secure' : ''}`
}

/** Hands a session out: its token is told, or becomes a cookie; never both. */
export function handOut(reply: FastifyReply, logIn: LogIn, kind: SessionKind, publicUrl: string): string | null {
  void reply.header('cache-control', 'no-store')
  if (kind === 'token') return logIn.token
  void reply.header('set-cookie', sessionCookie(publicUrl, logIn.token, logIn.expiresAt))
  return null
}

/** Hands out a session that goes on as another, as the one before was. */
export function goOn({ credential }: FastifyRequest, reply: FastifyReply, logIn: LogIn, publicUrl: string) {
  const token = handOut(reply, logIn, credential.by === 'cookie' ? 'cookie' : 'token', publicUrl)
  return reply.send({ user: showUser(logIn.user), token, expires_at: logIn.expiresAt.toISOString() })
}

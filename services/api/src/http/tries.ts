import { createHash } from 'node:crypto'
import { AppError } from '@skipcast/runtime'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ApiSettings } from '../ports.ts'
import { addressOf } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Passwords, codes or addresses can be tried out here. */
    isTry?: true
  }
}

const ADDRESS_WINDOW_MS = 60_000
const ACCOUNT_WINDOW_MS = 15 * 60_000

/**
 * Counts tries to log in, register and the like: by the address of the socket, so that one machine can't try many accounts, and by the account that the body or the
 * session names, so that many machines can't try one. What anybody else forges in `X-Forwarded-For` counts for nothing. The hook runs once the body has been read.
 */
export function tryLimit(app: FastifyInstance, settings: Pick<ApiSettings, 'triesPerAddress' | 'triesPerAccount'>) {
  const ofAddress = app.createRateLimit({
    max: settings.triesPerAddress,
    timeWindow: ADDRESS_WINDOW_MS,
    keyGenerator: (request) => `tries ${addressOf(request)}`,
  })
  const ofAccount = app.createRateLimit({
    max: settings.triesPerAccount,
    timeWindow: ACCOUNT_WINDOW_MS,
    keyGenerator: (request) => `tries ${request.routeOptions.url} ${accountOf(request)}`,
  })
  return async function countTry(
    request: FastifyRequest,
    reply: { header(name: string, value: number): unknown },
  ): Promise<void> {
    if (!request.routeOptions.config.isTry) return
    for (const limit of accountOf(request) === null ? [ofAddress] : [ofAddress, ofAccount]) {
      const counted = await limit(request)
      if (counted.isAllowed || !counted.isExceeded) continue
      reply.header('retry-after', counted.ttlInSeconds)
      throw new AppError('TOO_MANY_REQUESTS', `Too many tries. Go on in ${counted.ttlInSeconds} s.`)
    }
  }
}

/** Which account is tried; null where the request names none. A hash: addresses do not stay in memory. */
function accountOf({ actor, body }: FastifyRequest): string | null {
  const named = actor?.id ?? (body as { email?: unknown } | undefined)?.email
  return typeof named === 'string' ? createHash('sha256').update(named.trim().toLowerCase()).digest('base64url') : null
}

import { createHash } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import { AppError } from '@skipcast/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiSettings } from '../ports.ts'
import { presentedBy } from './credentials.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Probes are answered however often they ask. */
    isProbe?: true
  }
}

const WINDOW_MS = 60_000
/** Tokens and addresses that are remembered; who has not come for longest is forgotten. */
const MAX_KEYS = 10_000

/**
 * Counts requests per minute: by token once it has proved valid here, else by the address of the socket (an IPv6 network of a customer is one), so that made-up
 * tokens give nobody room. `X-Forwarded-For` is read only where it comes from a proxy that the configuration names.
 */
export async function requestLimit(
  app: FastifyInstance,
  { requestsPerMinute: perMinute, publicUrl }: Pick<ApiSettings, 'requestsPerMinute' | 'publicUrl'>,
) {
  await app.register(rateLimit, { global: false, cache: MAX_KEYS })
  const known = new Set<string>()
  const keyOf = (request: FastifyRequest) => {
    const key = keyOfCredential(request, publicUrl)
    return known.has(key) ? key : addressOf(request)
  }
  const count = app.createRateLimit({ max: perMinute, timeWindow: WINDOW_MS, keyGenerator: keyOf })
  return {
    async hook(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (request.routeOptions.config.isProbe) return
      const counted = await count(request)
      if (counted.isAllowed || !counted.isExceeded) return
      void reply.header('retry-after', counted.ttlInSeconds)
      throw new AppError('TOO_MANY_REQUESTS', `More than ${perMinute} requests in a minute. Go on in ${counted.ttlInSeconds} s.`)
    },
    /** The token of this request is valid: from now on it is counted for itself. */
    remember(request: FastifyRequest): void {
      const key = keyOfCredential(request, publicUrl)
      known.delete(key)
      known.add(key)
      if (known.size > MAX_KEYS) known.delete(known.values().next().value!)
    },
  }
}

/** Where a request comes from: an address, or the IPv6 network of a customer. */
export function addressOf(request: FastifyRequest): string {
  return rateLimit.normalizeIP(request.ip, 64)
}

/** No secret stays in memory for the sake of counting. */
function keyOfCredential(request: FastifyRequest, publicUrl: string): string {
  return createHash('sha256')
    .update(presentedBy(request, publicUrl)?.token ?? '')
    .digest('base64url')
}

import type { FastifySchema, RouteOptions } from 'fastify'
import { z } from 'zod'
import { errorBody } from './views.ts'

/** What the OpenAPI document says beside the routes. */
export const documentInfo = {
  openapi: '3.1.0',
  info: {
    title: 'Skipcast',
    version: '1.0.0',
    description:
      'Runs internet radio channels. What is wanted is answered at once (202); what really happens is in `stream.phase`. Every error is `{error, message, details?}`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'channels', description: 'Radio stations and their playlists' },
    { name: 'trash', description: 'Channels that were deleted' },
    { name: 'opinions', description: 'Likes of channels and pieces, reviews of channels' },
    { name: 'genres', description: 'Kinds of music and talk' },
    { name: 'streams', description: 'On air and off, and how it is' },
    { name: 'media', description: 'Music' },
    { name: 'servers', description: 'The machines that run engines' },
    { name: 'log-ins', description: 'Registering, logging in and out, links in mails' },
    { name: 'account', description: 'Your own account' },
    { name: 'accounts', description: 'Users, and the tokens that speak for them' },
    { name: 'system', description: 'How the service itself is' },
  ],
  components: {
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        description: 'The token of a session (POST /api/login), or one of POST /api/tokens.',
      },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'skipcast_session',
        description:
          'For browsers; behind TLS its name is __Host-skipcast_session. What changes something is taken only from pages of PUBLIC_URL.',
      },
    },
  },
} as const

const MEANINGS: Readonly<Record<string, string>> = {
  200: 'Well',
  201: 'Made',
  202: 'Safely noted; it happens soon',
  503: 'Not ready',
}

const REASONS = {
  400: 'What can not be read, or a field that is wrong or unknown; `details` names each',
  401: 'No valid token',
  403: 'Not yours',
  404: 'There is no such thing',
  409: 'Not in this state; the message says what to do',
  410: 'It is there no more',
  412: 'Not the version of the protocol that this speaks',
  413: 'Too large',
  415: 'Not the content type this takes',
  416: 'The file is not that long',
  422: 'What was sent can be read, but not used: the message says why',
  423: 'Another request is at it; try again',
  429: 'Too much at once; see Retry-After',
  503: 'The database is away; see Retry-After',
  507: 'The disk is full; see Retry-After',
} as const

type Refusal = keyof typeof REASONS

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Statuses of errors that only this route answers; those that follow from its access and inputs go without saying. */
    refusals?: readonly Refusal[]
  }
}

/**
 * Adds to a route's schema what follows from its access and its inputs: the token it needs and the errors it can answer. Each
 * answer says what it means.
 */
export function describe({ config, schema = {} }: RouteOptions): FastifySchema {
  const access = config?.access
  const statuses = new Set<Refusal>(config?.refusals)
  if (!config?.isProbe) statuses.add(429)
  if (schema.body || schema.querystring || schema.params) statuses.add(400)
  if (schema.body) statuses.add(413).add(415)
  const isGuarded = access !== 'public' && access !== 'open'
  if (isGuarded) statuses.add(401)
  if (isGuarded) statuses.add(403)
  if (schema.params) statuses.add(404)
  if (access !== 'public' || schema.params || schema.querystring || schema.body) statuses.add(503)
  const answers = Object.entries((schema.response ?? {}) as Record<string, z.ZodType>).map(([status, body]) => [
    status,
    body instanceof z.ZodUndefined || !(body instanceof z.ZodType) ? body : answer(MEANINGS[status] ?? '', body),
  ])
  const refusals = [...statuses].map((status) => [status, answer(REASONS[status], errorBody)])
  return {
    ...schema,
    ...(access === 'open' && { security: [{}, { bearer: [] }, { session: [] }] }),
    ...(isGuarded && { security: [{ bearer: [] }, { session: [] }] }),
    response: Object.fromEntries([...answers, ...refusals]),
  }
}

function answer(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } }
}

/**
 * Leaves out what says nothing: schemas that nothing refers to (the generator writes each one twice, as input and as output), and the
 * largest number there is as a limit.
 */
export function tidyDocument<T extends object>(document: T): T {
  const text = JSON.stringify(document)
  const { components, ...rest } = JSON.parse(text, (key, value: unknown) =>
    key === 'maximum' && value === Number.MAX_SAFE_INTEGER ? undefined : value,
  ) as { components?: { schemas?: Record<string, unknown> } }
  const schemas = Object.entries(components?.schemas ?? {}).filter(([name]) => text.includes(`"#/components/schemas/${name}"`))
  return { ...rest, components: { ...components, schemas: Object.fromEntries(schemas) } } as T
}

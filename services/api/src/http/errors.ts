import { AppError, isAppError, messageOf, type Logger } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'

const RETRY_AFTER_S = 2

/** One shape for every error: `{error, message, details?}`. The table of AppError decides status and loudness; bugs tell nothing but that they are. */
export function errorHandler(logger: Logger) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const error = asAppError(thrown, request)
    void reply.header('x-content-type-options', 'nosniff') // no hook runs where the path can not be read
    if (!error) {
      logger.error({ err: thrown, method: request.method, route: request.routeOptions.url }, 'a request hit a bug')
      return reply.code(500).send({ error: 'INTERNAL', message: 'Something went wrong here. It was logged.' })
    }
    const { status, fault, retryable } = error.kind
    if (fault !== 'caller') {
      const told = {
        code: error.code,
        cause: messageOf(error.cause ?? error),
        method: request.method,
        route: request.routeOptions.url,
      }
      logger[fault === 'dependency' ? 'warn' : 'error'](told, 'a request failed')
    }
    if (retryable && !reply.hasHeader('retry-after')) void reply.header('retry-after', RETRY_AFTER_S)
    return reply.code(status).send({
      error: error.code,
      message: error.message,
      ...(error.details !== undefined && fault === 'caller' && { details: error.details }),
    })
  }
}

export async function notFoundHandler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return reply.code(404).send({ error: 'NOT_FOUND', message: `There is no ${request.method} here. See /docs.` })
}

/** Fastify's own refusals, by their status. */
const REFUSALS = { 404: 'NOT_FOUND', 413: 'TOO_LARGE' } as const
/** Fastify's, and that of the reader of forms. */
const WRONG_TYPE = [415, 406]

function asAppError(thrown: unknown, request: FastifyRequest): AppError | null {
  if (isAppError(thrown)) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const problems = thrown.validation.map(({ instancePath, message, params }) => {
      const unknown = (params as { keys?: string[] }).keys
      const path = instancePath.split('/').filter((part) => part !== '')
      if (thrown.validationContext === 'querystring' && isRepeated(request.query, path[0])) return `${path[0]}: give it once`
      return unknown
        ? `${[...path, unknown.join(', ')].join('.')}: is not a field`
        : `${path.join('.') || thrown.validationContext}: ${message}`
    })
    return new AppError('BAD_REQUEST', problems.join('; '), { details: problems })
  }
  const { code, statusCode, message } = thrown as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return new AppError('NOT_FOUND', 'Nothing has so long a name.', { cause: thrown })
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return null
  if (WRONG_TYPE.includes(statusCode)) {
    const types = request.routeOptions.schema?.consumes ?? ['application/json']
    return new AppError('UNSUPPORTED_MEDIA_TYPE', `Send the body with the header Content-Type: ${types.join(' or ')}.`, {
      cause: thrown,
    })
  }
  return new AppError(
    REFUSALS[statusCode as keyof typeof REFUSALS] ?? 'BAD_REQUEST',
    message ?? 'This request can not be read.',
    { cause: thrown },
  )
}

function isRepeated(query: unknown, name: string | undefined): boolean {
  return name !== undefined && Array.isArray((query as Record<string, unknown>)[name])
}

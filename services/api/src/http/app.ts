import type { Socket } from 'node:net'
import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Logger } from '@skipcast/runtime'
import fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { ApiPorts } from '../ports.ts'
import { accessHook, type Access } from './access.ts'
import type { App } from './app-type.ts'
import { accountPages } from './account-pages.ts'
import { accountRoutes } from './account-routes.ts'
import { artworkRoutes } from './artwork-routes.ts'
import { channelRoutes } from './channel-routes.ts'
import { describe, documentInfo, tidyDocument } from './document.ts'
import { errorHandler, notFoundHandler } from './errors.ts'
import { eventRoutes } from './event-routes.ts'
import { genreRoutes } from './genre-routes.ts'
import { historyRoutes } from './history-routes.ts'
import { logInRoutes } from './log-in-routes.ts'
import { mediaEventRoutes } from './media-event-routes.ts'
import { mediaRoutes } from './media-routes.ts'
import { mediaTrashRoutes } from './media-trash-routes.ts'
import { mediaWorkRoutes } from './media-work-routes.ts'
import { ownAccountRoutes } from './own-account-routes.ts'
import { placementRoutes } from './placement-routes.ts'
import { playbackRoutes } from './playback-routes.ts'
import { playlistRoutes } from './playlist-routes.ts'
import { providerRoutes } from './provider-routes.ts'
import { requestLimit } from './rate-limit.ts'
import { secondFactorRoutes } from './second-factor-routes.ts'
import { sessionRoutes } from './session-routes.ts'
import { serverRoutes } from './server-routes.ts'
import { streamRoutes } from './stream-routes.ts'
import { systemRoutes } from './system-routes.ts'
import { likeRoutes } from './like-routes.ts'
import { reviewRoutes } from './review-routes.ts'
import { trashRoutes } from './trash-routes.ts'
import { sweepRoutes } from './sweep-routes.ts'
import { tryLimit } from './tries.ts'
import { usageRoutes } from './usage-routes.ts'
import { uploadRoutes } from './upload-routes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is and who may call it; the authorisation matrix is tested from it. */
    accessTable: readonly { readonly method: string; readonly url: string; readonly access: Access }[]
  }
}

const MAX_BODY_BYTES = 128 * 1024
/** A slow sender has so long for a whole upload. */
const REQUEST_TIMEOUT_MS = 15 * 60_000
/** Who was answered before all was sent may send on for so long: a connection closed at once could take the answer with it. */
const LINGER_MS = 5000
const MAX_PARAMETER_LENGTH = 300

/** The whole HTTP side. It does nothing until asked: without a database it still answers, and can write down its own description. */
export async function buildApp(ports: ApiPorts, options: { logger: Logger }): Promise<App> {
  const logger: FastifyBaseLogger = options.logger
  const refuse = errorHandler(options.logger)
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: [...ports.settings.trustedProxies],
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(refuse)
  app.setNotFoundHandler(notFoundHandler)
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const isEndless = String(reply.getHeader('content-type')).startsWith('text/event-stream')
    if (!isEndless) ports.telemetry.answered(method, routeOptions.url, reply.statusCode, reply.elapsedTime)
  })
  app.addHook('onRequest', async ({ headers }) => {
    // No body, no type of it: clients that put one on every request mean nothing by it.
    if (headers['content-length'] === '0' || !('content-length' in headers || 'transfer-encoding' in headers))
      delete headers['content-type']
  })
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete) return
    const limit = setTimeout(() => raw.destroy(), LINGER_MS).unref()
    raw.once('close', () => clearTimeout(limit)).resume()
  })
  app.addHook('onSend', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'))

  const accessTable: { method: string; url: string; access: Access }[] = []
  app.decorate('accessTable', accessTable)
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat()) accessTable.push({ method: each, url, access: config?.access ?? 'public' })
  })
  await app.register(swagger, {
    openapi: { ...documentInfo, servers: [...documentInfo.servers], tags: [...documentInfo.tags] },
    transform: jsonSchemaTransform,
    transformObject: (input) => tidyDocument(jsonSchemaTransformObject(input)),
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  await app.register(multipart, {
    throwFileSizeLimit: false,
    limits: { files: 2, fields: 2, parts: 3, fieldSize: 1000, headerPairs: 50 },
  })

  await app.register(async (own) => {
    for (const name of [
      'actor',
      'credential',
      'viewer',
      'sight',
      'channel',
      'review',
      'trashed',
      'media',
      'linkExpiresAt',
      'apiToken',
    ] as const)
      own.decorateRequest(name, null as never)
    own.addHook('onRoute', (route) => {
      if (!route.config?.access) throw new Error(`${route.url} does not say who may call it`)
      route.schema = describe(route)
    })
    const limit = await requestLimit(own, ports.settings)
    own.addHook('onRequest', (request, reply) => limit.hook(request, reply))
    own.addHook(
      'onRequest',
      accessHook(ports, (request) => limit.remember(request)),
    )
    const countTry = tryLimit(own, ports.settings)
    own.addHook('preHandler', countTry)
    for (const routes of [
      channelRoutes,
      artworkRoutes,
      trashRoutes,
      likeRoutes,
      reviewRoutes,
      genreRoutes,
      streamRoutes,
      eventRoutes,
      historyRoutes,
      playlistRoutes,
      mediaEventRoutes,
      mediaRoutes,
      mediaTrashRoutes,
      mediaWorkRoutes,
      uploadRoutes,
      playbackRoutes,
      usageRoutes,
      sweepRoutes,
      serverRoutes,
      placementRoutes,
      accountRoutes,
      ownAccountRoutes,
      sessionRoutes,
      secondFactorRoutes,
      logInRoutes,
      providerRoutes,
      accountPages,
      systemRoutes,
    ])
      routes(own.withTypeProvider<ZodTypeProvider>(), ports)
  })
  await app.ready()
  return app
}

/** What is not even HTTP gets the same shape of error. */
function refuseUnreadable(_error: Error, socket: Socket): void {
  const body = JSON.stringify({ error: 'BAD_REQUEST', message: 'This is no HTTP request that can be read.' })
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    )
  }
}

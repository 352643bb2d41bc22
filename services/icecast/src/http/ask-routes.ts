import fastify, { type FastifyInstance } from 'fastify'
import { messageOf } from '@skipcast/runtime'
import { createHash, timingSafeEqual } from 'node:crypto'
import { readQuestion, type Question } from '../domain/question.ts'
import type { Telemetry } from '../telemetry.ts'

/** Icecast's own buffer for this POST has 4 KiB. */
const MAX_BODY_BYTES = 16 * 1024
/** While a question is open, Icecast's thread for this kind of mount waits; Icecast itself would wait 15 s. */
const ANSWER_WITHIN_MS = 3000

/**
 * The server that Icecast asks: `POST /ice/<secret>` as a form. Yes is the header `icecast-auth-user: 1`, and everything else
 * is no: a wrong secret, a body that is no question, an answer that failed or took too long.
 */
export function askServer(options: {
  secret: string
  answer: (question: Question, signal: AbortSignal) => Promise<boolean>
  telemetry: Telemetry
}): FastifyInstance {
  const isYes = withinTime(options)
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true, logger: false })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, new URLSearchParams(body as string)),
  )
  app.post<{ Params: { secret: string }; Body: URLSearchParams }>('/ice/:secret', async (request, reply) => {
    if (!isSame(request.params.secret, options.secret)) return reply.code(404).send()
    const question = readQuestion(request.body)
    if (question && (await isYes(question))) reply.header('icecast-auth-user', '1')
    return reply.send()
  })
  return app
}

/** What fails, or takes too long, is a no. */
export function withinTime({ answer, telemetry }: Pick<Parameters<typeof askServer>[0], 'answer' | 'telemetry'>) {
  return async (question: Question): Promise<boolean> => {
    const askedAt = performance.now()
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(new Error(`took more than ${ANSWER_WITHIN_MS} ms`)), ANSWER_WITHIN_MS)
    const tooLate = new Promise<never>((_, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason as Error), { once: true })
    })
    try {
      return await Promise.race([answer(question, limit.signal), tooLate])
    } catch (error) {
      telemetry.answerFailed(question.kind, messageOf(error))
      return false
    } finally {
      clearTimeout(timer)
      telemetry.answered(question.kind, performance.now() - askedAt)
    }
  }
}

function isSame(given: string, secret: string): boolean {
  const [a, b] = [given, secret].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(a!, b!)
}

import { expect, test } from '@jest/globals'
import { AppError, silentLogger } from '@skipcast/runtime'
import fastify from 'fastify'
import { errorHandler } from './errors.ts'

async function answerTo(thrown: unknown) {
  const app = fastify()
  app.setErrorHandler(errorHandler(silentLogger()))
  app.get('/', () => Promise.reject(thrown as Error))
  const { statusCode, headers, body } = await app.inject('/')
  await app.close()
  return { statusCode, retryAfter: headers['retry-after'], body: JSON.parse(body) as unknown }
}

test('a bug tells nothing of itself', async () => {
  expect(await answerTo(new Error('secret at /srv/x.ts:5'))).toEqual({
    statusCode: 500,
    retryAfter: undefined,
    body: { error: 'INTERNAL', message: 'Something went wrong here. It was logged.' },
  })
})

test('what a dependency said stays with us; that a retry makes sense is told', async () => {
  const error = new AppError('DATABASE_UNAVAILABLE', 'The database does not answer.', {
    details: 'host db-7',
    cause: new Error('db-7'),
  })
  expect(await answerTo(error)).toEqual({
    statusCode: 503,
    retryAfter: '2',
    body: { error: 'DATABASE_UNAVAILABLE', message: 'The database does not answer.' },
  })
})

test('a caller’s mistake comes with its details', async () => {
  expect(await answerTo(new AppError('NOT_FOUND', 'no', { details: { media_ids: ['x'] } }))).toEqual({
    statusCode: 404,
    retryAfter: undefined,
    body: { error: 'NOT_FOUND', message: 'no', details: { media_ids: ['x'] } },
  })
})

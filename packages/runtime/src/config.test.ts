import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { env, readConfig } from './config.ts'
import { AppError } from './errors.ts'

const schemas = {
  web: z.object({ PORT: env.port().default(3000), PUBLIC_URL: env.url('http:', 'https:').optional() }),
  store: z.object({ LIMIT: env.integer(1, 10).default(5), KEEP: env.boolean().default(false) }),
}

describe('readConfig', () => {
  test('fills defaults and takes an empty variable as absent', () => {
    expect(readConfig(schemas, { PORT: '', LIMIT: '7' })).toEqual({ web: { PORT: 3000 }, store: { LIMIT: 7, KEEP: false } })
  })

  test('tells all problems of all schemas at once, by variable and without the value', () => {
    const read = () => readConfig(schemas, { PORT: 'hunter2', PUBLIC_URL: 'ftp://x', LIMIT: '11', KEEP: 'yes' })
    expect(read).toThrow(AppError)
    expect(read).toThrow(/4 problem/)
    for (const name of ['PORT', 'PUBLIC_URL', 'LIMIT', 'KEEP']) expect(read).toThrow(new RegExp(`- ${name}: `))
    expect(read).not.toThrow(/hunter2/)
  })

  test('takes "false" as false', () => {
    expect(readConfig(schemas, { KEEP: 'false' }).store.KEEP).toBe(false)
  })
})

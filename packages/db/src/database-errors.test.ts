import { expect, test } from '@jest/globals'
import { messageOf } from '@skipcast/runtime'
import { storeError } from './database-errors.ts'

test('of what Prisma says about a database that is away, the reason is kept', () => {
  const thrown = Object.assign(
    new Error("\nInvalid `client.channel.findMany()` invocation:\n\n\nCan't reach database server at 127.0.0.1:1"),
    {
      code: 'P2024',
    },
  )
  const error = storeError(thrown) as Error
  expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  expect(messageOf(error.cause)).toBe("Can't reach database server at 127.0.0.1:1")
})

test('what is no outage is told as it was thrown', () => {
  const bug = new Error('a\nb')
  expect(storeError(bug)).toBe(bug)
})

import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { postmanText } from './postman-text.ts'

test('the Postman collection says what the routes say (if not: pnpm generate:openapi)', async () => {
  const committed = await readFile(new URL('../../../../deploy/postman-collection.json', import.meta.url), 'utf8')
  expect(await postmanText()).toBe(committed)
})

import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { openApiText } from './open-api-text.ts'

test('openapi.yaml says what the routes say (if not: pnpm generate:openapi)', async () => {
  const committed = await readFile(new URL('../../../../openapi.yaml', import.meta.url), 'utf8')
  expect(await openApiText()).toBe(committed)
})

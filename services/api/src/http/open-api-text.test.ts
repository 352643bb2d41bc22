import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { openApiDocument, openApiText } from './open-api-text.ts'

test('openapi.yaml says what the routes say (if not: pnpm generate:openapi)', async () => {
  const committed = await readFile(new URL('../../../../openapi.yaml', import.meta.url), 'utf8')
  expect(await openApiText()).toBe(committed)
})

test('A15, A17, A18: no request names an address that we would then ask', async () => {
  const document = (await openApiDocument()) as { paths: object }
  const names: string[] = []
  JSON.stringify(document.paths, (key, value: unknown) => {
    if (key === 'responses') return undefined
    if (key === 'parameters') names.push(...(value as { name: string }[]).map(({ name }) => name))
    if (key === 'properties') names.push(...Object.keys(value as object))
    return value
  })
  expect(names).toContain('media_file')
  expect(names.filter((name) => /ur[il]|host|addr|endpoint|hook|proxy|relay/i.test(name))).toEqual([])
})

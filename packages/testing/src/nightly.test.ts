import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { nightlyParts } from './nightly.ts'

test.each(nightlyParts)(
  'the part $name runs a test that reads its variables',
  async ({ test: path, countVariable, seedVariable }) => {
    const text = await readFile(new URL(`../../../${path}.int.test.ts`, import.meta.url), 'utf8')
    for (const variable of [countVariable, seedVariable ?? countVariable]) expect(text).toContain(`process.env['${variable}']`)
  },
)

test('each part of the night is there once', () => {
  const names = nightlyParts.map(({ name }) => name)
  expect(names).toEqual([...new Set(names)])
})

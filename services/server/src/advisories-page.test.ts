import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'

const root = new URL('../../../', import.meta.url)
const page = await readFile(new URL('deploy/advisories.md', root), 'utf8')
const rows = [...page.matchAll(/^\| ([A-Z]\d+) \| .+ \| (.+) \|$/gm)].map(([, id, tests]) => ({ id: id!, tests: tests! }))

test('deploy/advisories.md has every entry', () => {
  const all = { A: 19, I: 8, L: 1, X: 1, K: 1 }
  const ids = Object.entries(all).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  )
  expect(rows.map(({ id }) => id)).toEqual(ids)
})

test.each(rows)('$id has its tests, and they bear its number', async ({ id, tests }) => {
  const other = /^as ([A-Z]\d+)/.exec(tests)?.[1]
  const files = [...tests.matchAll(/`([^`]+\.ts)`/g)].map(([, file]) => file!)
  expect(other ?? files[0]).toBeDefined()
  if (other) expect(rows.map((row) => row.id)).toContain(other)
  for (const file of files)
    expect(await readFile(new URL(file, root), 'utf8')).toMatch(new RegExp(`['\`(][^'\`]*\\b${id}\\b[^'\`]*: `))
})

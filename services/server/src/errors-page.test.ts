import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { problemCodes } from '@skipcast/liquidsoap-agent'
import { errorCodes } from '@skipcast/runtime'

/** Codes that stand in no table: of a bug, of a server that the api does not hear, and of a bus that it does not. */
const others = ['INTERNAL', 'SERVER_SILENT', 'BUS_UNREACHABLE']

test('deploy/errors.md has each code, with its cure, and no other, and README.md leads there', async () => {
  const root = new URL('../../../', import.meta.url)
  const page = await readFile(new URL('deploy/errors.md', root), 'utf8')
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \|(.+)\|$/gm)]
  expect(new Set(rows.map(([, code]) => code))).toEqual(new Set([...errorCodes, ...problemCodes, ...others]))
  for (const [, , cells] of rows) expect(cells!.split('|').at(-1)!.trim().length).toBeGreaterThan(10)
  expect(await readFile(new URL('README.md', root), 'utf8')).toContain('(deploy/errors.md)')
})

import { describe, expect, test } from '@jest/globals'
import { runNamed, usage, type Benchmark } from './benchmark.ts'
import { table } from './table.ts'

const count: Benchmark = {
  name: 'count',
  summary: 'counts',
  settings: { from: 1, to: 3 },
  run: async ({ from, to }) => `${from} to ${to}`,
}
const run = (name: string, ...settings: string[]) => runNamed([count], name, settings, () => {})

describe('runNamed', () => {
  test('runs with the settings of a full run, and with changed ones', async () => {
    expect(await run('count')).toBe('1 to 3')
    expect(await run('count', 'to=10')).toBe('1 to 10')
  })

  test.each([['other'], ['count', 'upto=3'], ['count', 'to=x'], ['count', 'to=-1']])('refuses %s %s', async (...words) => {
    await expect(run(...(words as [string]))).rejects.toThrow(RangeError)
  })
})

test('usage names benchmarks and their settings', () => {
  expect(usage([count])).toContain('count [from=1 to=3]\n      counts')
})

test('a table is aligned and is Markdown', () => {
  expect(table(['what', 'ms'], [['a', '1'], ['long name', '1000'], ['short']])).toBe(
    ['| what      |   ms |', '|-----------|-----:|', '| a         |    1 |', '| long name | 1000 |', '| short     |      |'].join(
      '\n',
    ),
  )
})

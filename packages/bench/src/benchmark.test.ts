import { describe, expect, test } from '@jest/globals'
import { runNamed, usage, type Benchmark } from './benchmark.ts'
import { alternately, repeat } from './rounds.ts'
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

describe('alternately', () => {
  const play = async (ours: number, theirs: number) => {
    const order: string[] = []
    const rival = alternately(ours, theirs, async () => order.push('t'))
    await repeat(ours, () => rival.after(async () => order.push('o')))
    await rival.results()
    return order.join('')
  }

  test('spreads theirs evenly over ours', async () => {
    expect(await play(6, 3)).toBe('ootootoot')
  })

  test('runs all of theirs, however few of ours there are', async () => {
    expect(await play(1, 3)).toBe('ottt')
    expect(await play(7, 2)).toBe('oootoooto')
    expect(await play(3, 0)).toBe('ooo')
  })
})

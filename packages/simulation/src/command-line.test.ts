import { expect, test } from '@jest/globals'
import { readCommandLine } from './command-line.ts'

test('asks for a thousand runs by default, or for what it is told', () => {
  expect(readCommandLine([])).toEqual({ runs: 1000, firstSeed: 1, isTraced: false, mutant: null })
  expect(readCommandLine(['--runs', '20', '--from', '7', '--mutant', 'x'])).toEqual({
    runs: 20,
    firstSeed: 7,
    isTraced: false,
    mutant: 'x',
  })
  expect(readCommandLine(['--seed', '41'])).toEqual({ runs: 1, firstSeed: 41, isTraced: true, mutant: null })
})

test.each([['--runs'], ['--runs', '0'], ['--runs', 'many'], ['--speed', '1'], ['--seed', '1', '--runs', '2']])(
  'says what it wants instead of %s',
  (...args) => {
    expect(() => readCommandLine(args)).toThrow('Usage: npm run simulate')
  },
)

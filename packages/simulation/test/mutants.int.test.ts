import { expect, test } from '@jest/globals'
import { mutants } from '../src/mutants.ts'
import { runSeeds } from '../src/run-seeds.ts'

/** Each bug is to be found within so many runs. */
const MOST_RUNS = 60

test('there are ten bugs, each of a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBeGreaterThanOrEqual(10)
})

test.each(mutants)(
  'the simulation finds that $name',
  async ({ name: mutant }) => {
    const results = await runSeeds({ firstSeed: 1, runs: MOST_RUNS, mutant, stopsAtFailure: true })
    const { seed, failure } = results.at(-1)!
    process.stdout.write(`simulation: ${mutant}: ${failure ? `found by seed ${seed}, ${failure.what}` : 'not found'}\n`)
    expect(failure).not.toBeNull()
  },
  300_000,
)

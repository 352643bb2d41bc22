import { expect, test } from '@jest/globals'
import { AppError, runCommand } from '@skipcast/runtime'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const RUNS = 1000

/** What a simulation says, whether or not it fails: in a process of its own, as it takes over the time of the one it runs in. */
async function simulate(...args: string[]): Promise<string> {
  try {
    const { stdout } = await runCommand(process.execPath, [PROGRAM, ...args], { timeoutMs: 900_000 })
    return stdout.toString('utf8')
  } catch (error) {
    if (error instanceof AppError)
      throw new Error(`${error.message}\n${JSON.stringify(error.details, null, 2)}`, { cause: error })
    throw error
  }
}

test('a thousand seeds of faults break no promise', async () => {
  const said = await simulate('--runs', `${RUNS}`)
  process.stdout.write(`simulation: ${said}`)
  expect(said).toContain(`${RUNS} runs, 0 failed`)
}, 960_000)

test('a run is the same each time, also after others in the same process', async () => {
  const [first, again] = [await simulate('--seed', '12'), await simulate('--seed', '12')]
  const hashOf = (said: string) => /trace ([0-9a-f]{16})/.exec(said)?.[1]
  expect(hashOf(first)).toBeDefined()
  expect(again.replace(/in [\d.]+ s: \d+ times/, '')).toBe(first.replace(/in [\d.]+ s: \d+ times/, ''))
  const { runSeeds } = await import('../src/run-seeds.ts')
  const results = await runSeeds({ firstSeed: 7, runs: 12 })
  expect(results.find(({ seed }) => seed === 12)!.hash).toBe(hashOf(first))
}, 120_000)

import { readCommandLine } from './command-line.ts'
import { runSeeds } from './run-seeds.ts'
import { failureText, summaryText } from './tell.ts'

try {
  const { runs, firstSeed, isTraced, mutant } = readCommandLine(process.argv.slice(2))
  const beganAt = performance.now()
  const results = await runSeeds({
    runs,
    firstSeed,
    isTraced,
    mutant,
    onLine: (line) => console.log(line),
    onResult: (result) => result.failure && console.log(failureText(result)),
  })
  console.log(summaryText(results, performance.now() - beganAt))
  process.exitCode = results.some(({ failure }) => failure) ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}

import type { RunResult } from './simulate.ts'

/** A run that failed: what was violated, what happened last, and how to see it again. */
export function failureText({ seed, failure, faults }: RunResult): string {
  if (!failure) return ''
  return [
    `seed ${seed} failed: ${failure.what}`,
    `  faults: ${faults.join(', ')}`,
    ...failure.last.map((line) => `  ${line}`),
    `  again: npm run simulate -- --seed ${seed}`,
  ].join('\n')
}

/** One line about all runs. `tookMs` is real time. */
export function summaryText(results: readonly RunResult[], tookMs: number): string {
  const sum = (of: (result: RunResult) => number) => results.reduce((total, result) => total + of(result), 0)
  const simulatedS = sum(({ simulatedMs }) => simulatedMs) / 1000
  const failed = results.filter(({ failure }) => failure)
  return [
    `${results.length} runs, ${failed.length} failed`,
    `${sum(({ commands }) => commands)} commands, ${sum(({ steps }) => steps)} steps`,
    `${Math.round(simulatedS)} simulated seconds in ${(tookMs / 1000).toFixed(1)} s: ${Math.round((simulatedS * 1000) / tookMs)} times real time`,
    ...(results.length === 1 ? [`trace ${results[0]!.hash}`] : []),
  ].join('; ')
}

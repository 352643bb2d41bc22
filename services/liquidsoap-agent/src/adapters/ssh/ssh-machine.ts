import { Readable } from 'node:stream'
import { AppError } from '@skipcast/runtime'
import type { EngineLimits } from '../engine-limits.ts'
import type { EngineMachine } from '../engine-machine.ts'
import { scriptFor } from '../engine-script.ts'
import { granted, VERB_TIMEOUT_MS } from './granted.ts'
import { putFile } from './put-file.ts'
import { remoteEngineSocket, remoteEventFiles } from './remote-engine.ts'
import type { SshLink } from './ssh-link.ts'

/** The host gives an engine 3 s to end and 5 s to die. */
const STOP_TIMEOUT_MS = 8000 + VERB_TIMEOUT_MS
const VERSION_TIMEOUT_MS = 15_000
const MAX_VERSION_BYTES = 10_000
/** What a channel's id may look like: it becomes a file's name. */
const CHANNEL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

export interface SshMachineOptions {
  readonly link: SshLink
  /** The folder of the engine's script, in its parts. */
  readonly scripts: string
  readonly logLevel: number
  readonly limits: EngineLimits
  /** Gets what the Liquidsoap there says of its version. */
  readonly onVersion: (text: string) => void
}

/**
 * Engines of a machine that has only sshd, Liquidsoap and `deploy/ssh/skipcast-host`. They know nothing of the connection: it may end at any moment.
 * Disposing leaves the link open, which is its maker's.
 */
export function sshMachine({ link, limits, ...options }: SshMachineOptions): EngineMachine {
  let script: Promise<string> | undefined
  let tag: string | null = null

  const bringScript = async (): Promise<string> => {
    const version = await versionOf(link)
    options.onVersion(version)
    const { text, sha256 } = await scriptFor(version, options.scripts)
    const content = Buffer.from(text, 'utf8')
    const file = { kind: 'script' as const, sha256, sizeBytes: content.length, reserveBytes: 0 }
    await putFile(link, { ...file, content: Readable.from([content]) }, () => {})
    return (tag = sha256)
  }
  const currentScript = (): Promise<string> => {
    script ??= bringScript().catch((error: unknown) => {
      script = undefined
      throw error
    })
    return script
  }
  const list = async () => {
    const lines = (await granted(link, 'list', [])).toString('latin1').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [id, tag, memory] = line.split(' ')
      return { id: id!, process: tag === '-' ? null : { scriptTag: tag!, memoryBytes: Number(memory) } }
    })
  }

  return {
    list,
    pathOf: (sha256) => `${link.root()}/cache/${sha256}.mp3`,
    async scriptTag() {
      const asked = currentScript()
      asked.catch(() => {}) // nobody waits: a look at the machine shall not take as long as Liquidsoap to tell its version
      return tag ?? Promise.reject(new AppError('ENGINE_START_FAILED', 'It is not known yet which script the host needs'))
    },
    forgetScript: () => (script = undefined),
    async start(engineId) {
      const { memoryBytes, openFiles, niceness } = limits
      const args = [engineId, await currentScript(), memoryBytes, openFiles, niceness, options.logLevel]
      const answer = await link.request('start', args, { timeoutMs: 2 * VERB_TIMEOUT_MS })
      if (answer.ok) return
      const problem = answer.code === 'space' ? 'NO_SPACE' : 'ENGINE_START_FAILED'
      throw new AppError(problem, `The host started no engine (${answer.code})`, {
        details: answer.data.toString('utf8').slice(0, 500),
      })
    },
    memoryOf: async (engineId) => (await list()).find(({ id }) => id === engineId)?.process?.memoryBytes ?? 0,
    lastWords: async (engineId) => (await granted(link, 'output', [engineId])).toString('utf8'),
    stop: async (engineId, { kill }) =>
      void (await granted(link, 'stop', [engineId, kill ? 'kill' : 'term'], { timeoutMs: STOP_TIMEOUT_MS })),
    async writePlan(engineId, channelId, text) {
      return (await granted(link, 'plan', [engineId, checked(channelId)], { data: text })).toString('utf8')
    },
    removePlan: async (engineId, channelId) => void (await granted(link, 'unplan', [engineId, checked(channelId)])),
    readPlans: async (engineId) => parsePlans(await granted(link, 'plans', [engineId])),
    open: (engineId) => ({
      socket: remoteEngineSocket(link, engineId),
      events: remoteEventFiles(link, engineId),
      [Symbol.dispose]() {},
    }),
    onChange: (listener) => link.onChange(listener),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** What the Liquidsoap there says of its version. Rejects with PROGRAM_MISSING, ENGINE_START_FAILED or HOST_UNREACHABLE. */
export async function versionOf(link: Pick<SshLink, 'open'>): Promise<string> {
  const channel = await link.open('version')
  let text = ''
  channel.on('data', (piece: Buffer) => (text = (text + piece.toString('utf8')).slice(0, MAX_VERSION_BYTES)))
  channel.stderr.resume()
  const limit = setTimeout(() => channel.destroy(), VERSION_TIMEOUT_MS)
  let exitCode: number | null = null
  channel.once('exit', (code: number | null) => (exitCode = code))
  await new Promise((resolve) => channel.once('close', resolve))
  clearTimeout(limit)
  if (exitCode === 0) return text
  if (exitCode === 127) throw new AppError('PROGRAM_MISSING', 'There is no Liquidsoap on the host: run deploy/ssh/install there')
  if (exitCode === null) throw new AppError('HOST_UNREACHABLE', 'The host does not tell the version of its Liquidsoap')
  throw new AppError('ENGINE_START_FAILED', 'Liquidsoap on the host does not tell its version')
}

function checked(channelId: string): string {
  if (CHANNEL_ID.test(channelId)) return channelId
  throw new AppError('ENGINE_REFUSED', 'The channel id is no plain name')
}

/** Each plan is a line with its length, and so many bytes. */
function parsePlans(bytes: Buffer): string[] {
  const plans: string[] = []
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf(0x0a, at)
    const length = Number(bytes.subarray(at, lineEnd).toString('latin1'))
    plans.push(bytes.subarray(lineEnd + 1, lineEnd + 1 + length).toString('utf8'))
    at = lineEnd + 1 + length
  }
  return plans
}

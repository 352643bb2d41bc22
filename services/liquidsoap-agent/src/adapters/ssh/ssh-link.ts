import { AppError, backoff, isAppError } from '@skipcast/runtime'
import type { ClientChannel } from 'ssh2'
import { hostSession, type HostAnswer, type HostSession } from './host-session.ts'
import { connectSsh, type HostWord, type SshConnection } from './ssh-connection.ts'
import type { SshTarget } from '../../domain/ssh-target.ts'

const PROTOCOL = '1'
const HELLO_TIMEOUT_MS = 10_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000

/** One connection to one machine, made again whenever it ends. */
export interface SshLink extends AsyncDisposable {
  /** Where our program keeps its files on the machine. Throws what `request` rejects with. */
  root(): string
  /** Asks our program on the machine. Rejects at once with what keeps the connection from standing: HOST_UNREACHABLE, HOST_KEY_REFUSED, HOST_LOGIN_REFUSED. */
  request: HostSession['request']
  /** A channel of its own beside the session. Rejects as `request` does. */
  open(word: HostWord): Promise<ClientChannel>
  /** Calls back when something changed on the machine, and when it can be reached again, or no longer. */
  onChange(listener: () => void): void
  /** Resolves with the first try to connect, however it ended. */
  readonly firstTry: Promise<void>
}

export interface SshLinkOptions {
  readonly target: SshTarget
  readonly tell: { hostReached(): void; hostLost(error: AppError): void }
}

interface Standing {
  readonly connection: SshConnection
  readonly session: HostSession
  readonly root: string
}

/** Begins to connect at once, and goes on for ever: waits grow to ten seconds. */
export function sshLink(options: SshLinkOptions): SshLink {
  const wait = backoff({ firstMs: FIRST_WAIT_MS, mostMs: LONGEST_WAIT_MS })
  let state: Standing | AppError = new AppError('HOST_UNREACHABLE', 'The connection is being made')
  let told: string | null = null
  let retry: NodeJS.Timeout | undefined
  let isClosed = false
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }

  const lose = (error: AppError) => {
    const hadStood = !(state instanceof AppError)
    state = error
    if (isClosed) return
    if (told !== error.message) options.tell.hostLost(error)
    told = error.message
    if (hadStood) changed()
    retry = setTimeout(() => void tryOnce(), wait.next())
  }

  const tryOnce = async (): Promise<void> => {
    try {
      const standing = await stand(options.target, changed, (error) => {
        if (state === standing) lose(error)
      })
      if (isClosed) return standing.connection[Symbol.dispose]()
      state = standing
      told = null
      wait.reset()
      options.tell.hostReached()
      changed()
    } catch (error) {
      lose(isAppError(error) ? error : new AppError('HOST_UNREACHABLE', 'The machine can not be reached', { cause: error }))
    }
  }

  const standing = (): Standing => {
    // A new error each time: whoever gets it may add to it, and its stack is the asker's.
    if (state instanceof AppError) throw new AppError(state.code, state.message, { cause: state })
    return state
  }
  const firstTry = tryOnce()

  return {
    firstTry,
    root: () => standing().root,
    request: async (...args) => standing().session.request(...args),
    open: async (word) => standing().connection.open(word),
    onChange: (listener) => void listeners.add(listener),
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearTimeout(retry)
      const last = state
      if (last instanceof AppError) return
      last.session[Symbol.dispose]()
      last.connection[Symbol.dispose]()
    },
  }
}

/** Connects and opens a session, with a program there that speaks as we do. `onEnd` is called once when it no longer stands. */
async function stand(target: SshTarget, onChange: () => void, onEnd: (error: AppError) => void): Promise<Standing> {
  const where = `${target.host}:${target.port}`
  const connection = await connectSsh(target)
  let lastWords = ''
  try {
    const session = hostSession(await connection.open('session'), {
      onChange,
      onEnd(words) {
        lastWords = words
        connection[Symbol.dispose]()
        onEnd(new AppError('HOST_UNREACHABLE', `The connection to ${where} ended: ${words}`))
      },
    })
    connection.onEnd(() => session[Symbol.dispose]())
    const facts = textOf(await session.request('hello', [], { timeoutMs: HELLO_TIMEOUT_MS }))
    const [, protocol, root] = /^protocol (\d+)\nroot (\/[A-Za-z0-9._/-]+)\n/.exec(facts) ?? []
    if (protocol === PROTOCOL && root !== undefined) return { connection, session, root }
    const advice = 'run deploy/ssh/install there again'
    throw new AppError('HOST_LOGIN_REFUSED', `skipcast-host on ${where} is of another version than this agent: ${advice}`)
  } catch (error) {
    connection[Symbol.dispose]()
    if (isAppError(error, 'HOST_LOGIN_REFUSED')) throw error
    const advice = 'is skipcast-host the forced command of the key? Run deploy/ssh/install there'
    throw new AppError('HOST_LOGIN_REFUSED', `${where} lets us in, and runs no skipcast-host (${lastWords}): ${advice}`, {
      cause: error,
    })
  }
}

/** What it says; empty where it refused. */
function textOf(answer: HostAnswer): string {
  return answer.ok ? answer.data.toString('utf8') : ''
}

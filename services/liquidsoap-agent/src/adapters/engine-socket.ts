import { open } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'

/** Longest command, in bytes: an engine takes more, and chokes on megabytes. */
const MAX_COMMAND_BYTES = 64 * 1024
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const ANSWER_TIMEOUT_MS = 1000
/** What only reads is answered within 5 ms by a healthy engine; and one that answers late is not ended for it. */
const STATUS_TIMEOUT_MS = 500
const END = '\nEND\r\n'

const answer = z.discriminatedUnion('ok', [
  z.looseObject({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), code: z.string() }),
])
export type Answer = z.infer<typeof answer>

/** The control connection to one engine, made when it is needed and kept: its end is the first sign that the engine died. */
export interface EngineSocket {
  /**
   * Sends one command with its JSON argument and resolves with the answer; one at a time, in the order of the calls.
   * Rejects with ENGINE_UNREACHABLE (no engine, or no answer within a second; half of one for `status`).
   */
  ask(command: string, argument?: unknown): Promise<Answer>
  close(): void
}

/** Talks to the engine at this path. `onClose` is told when an open connection ended, not when one could not be made. */
export function engineSocket(path: string, onClose: () => void): EngineSocket {
  let connection: Socket | undefined
  let last: Promise<unknown> = Promise.resolve()

  const connect = async (): Promise<Socket> => {
    if (connection) return connection
    const socket = await opened(path)
    connection = socket
    socket.once('close', () => {
      if (connection !== socket) return // we closed it ourselves
      connection = undefined
      onClose()
    })
    return socket
  }

  const disconnect = () => {
    const socket = connection
    connection = undefined
    socket?.destroy()
  }

  const ask = async (line: string, timeoutMs: number): Promise<Answer> => {
    try {
      const socket = await connect()
      return parseAnswer(await exchange(socket, line, timeoutMs))
    } catch (cause) {
      disconnect() // a late answer must not be taken for the next one
      throw new AppError('ENGINE_UNREACHABLE', 'The engine does not answer', { cause })
    }
  }

  return {
    async ask(command, argument) {
      const { line, timeoutMs } = commandLine(command, argument)
      const result = last.then(() => ask(line, timeoutMs))
      last = result.catch(() => {})
      return result
    },
    close: disconnect,
  }
}

/** What is sent for a command, and how long its answer may take. Throws ENGINE_REFUSED for one that is too long. */
export function commandLine(command: string, argument: unknown): { line: string; timeoutMs: number } {
  const line = `hub.${command}${argument === undefined ? '' : ` ${JSON.stringify(argument)}`}\n`
  if (Buffer.byteLength(line) > MAX_COMMAND_BYTES) throw new AppError('ENGINE_REFUSED', 'The command is too long for an engine')
  return { line, timeoutMs: command === 'status' ? STATUS_TIMEOUT_MS : ANSWER_TIMEOUT_MS }
}

/** Reads an answer, without its end. Throws when it is none. */
export function parseAnswer(text: string): Answer {
  return answer.parse(JSON.parse(text))
}

/**
 * Connects by way of the directory's descriptor: a socket's path may have 107 bytes, and a home may lie deeper than that.
 */
async function opened(path: string): Promise<Socket> {
  await using directory = await open(dirname(path), 'r')
  return await new Promise((resolve, reject) => {
    const socket = createConnection({ path: `/proc/self/fd/${directory.fd}/${basename(path)}` })
    socket.setEncoding('utf8')
    socket.once('connect', () => resolve(socket))
    socket.on('error', reject)
  })
}

/** Sends a line and collects what comes until the line `END`. */
function exchange(socket: Socket, line: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const take = (piece: string) => {
      text += piece
      if (text.endsWith(END)) settle(() => resolve(text.slice(0, -END.length)))
      else if (text.length > MAX_ANSWER_BYTES) settle(() => reject(new Error('the answer is too long')))
    }
    const ended = () => settle(() => reject(new Error('the connection ended')))
    const late = () => settle(() => reject(new Error(`no answer within ${timeoutMs} ms`)))
    // When it was us who did not run, the answer is there: it is read before the next turn.
    const timer = setTimeout(() => setImmediate(late), timeoutMs)
    const settle = (then: () => void) => {
      clearTimeout(timer)
      socket.off('data', take).off('close', ended)
      then()
    }
    socket.on('data', take).once('close', ended)
    socket.write(line)
  })
}

import { AppError } from '@skipcast/runtime'
import { commandLine, parseAnswer, type Answer, type EngineSocket } from '../engine-socket.ts'
import type { EventFiles } from '../event-log.ts'
import { VERB_TIMEOUT_MS, granted } from './granted.ts'
import type { SshLink } from './ssh-link.ts'

/** The control socket of an engine at the other end of a link. How long the engine may take is measured there: the way to it counts for nothing. */
export function remoteEngineSocket(link: SshLink, engineId: string): EngineSocket {
  let last: Promise<unknown> = Promise.resolve()

  const ask = async (line: string, engineMs: number): Promise<Answer> => {
    const answer = await link.request('control', [engineId, engineMs], { data: line, timeoutMs: engineMs + VERB_TIMEOUT_MS })
    if (!answer.ok && answer.code === 'invalid') throw new AppError('ENGINE_REFUSED', 'The host hands on no such command')
    try {
      if (answer.ok) return parseAnswer(answer.data.toString('utf8'))
    } catch (cause) {
      throw new AppError('ENGINE_UNREACHABLE', 'The engine says what is no answer', { cause })
    }
    throw new AppError('ENGINE_UNREACHABLE', `The engine does not answer (${answer.code})`)
  }

  return {
    async ask(command, argument) {
      const { line, timeoutMs } = commandLine(command, argument)
      const result = last.then(() => ask(line, timeoutMs))
      last = result.catch(() => {})
      return result
    },
    close: () => {}, // the connection to the engine is the session's
  }
}

/** The events of an engine at the other end of a link. */
export function remoteEventFiles(link: SshLink, engineId: string): EventFiles {
  return {
    async state() {
      const [acknowledged, old] = (await granted(link, 'cursor', [engineId])).toString('latin1').split(' ')
      return { acknowledged: Number(acknowledged) || 0, hasOld: old === 'old' }
    },
    read: (file, offset) => granted(link, 'events', [engineId, file, offset]),
    acknowledge: async (seq) => void (await granted(link, 'acknowledge', [engineId, seq])),
    rename: async () => void (await granted(link, 'rotate', [engineId])),
    removeOld: async () => void (await granted(link, 'forget', [engineId])),
  }
}

import type { Duplex } from 'node:stream'
import { AppError } from '@skipcast/runtime'

const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** A machine that is asked and says nothing at all for so long is as good as gone. */
const DEAD_AFTER_MS = 6000
const HEAD = /^(\d{1,9}) (ok|no) ([a-z-]{1,20}) (\d{1,9})$/
const MAX_HEAD_BYTES = 100

/** What our program on a machine answered: bytes, or why not (see `deploy/ssh/skipcast-host`). */
export type HostAnswer =
  | { readonly ok: true; readonly data: Buffer }
  | { readonly ok: false; readonly code: string; readonly data: Buffer }

/** A conversation with our program on a machine: many requests at once, answered in any order. */
export interface HostSession extends Disposable {
  /** Rejects with HOST_UNREACHABLE when there is no answer within `timeoutMs`, or the session ended. */
  request(verb: string, args: readonly (string | number)[], options: { data?: string; timeoutMs: number }): Promise<HostAnswer>
}

/**
 * Speaks over a channel. `onChange` is called when something changed there, `onEnd` once when the session is over: it was closed, said what can't be
 * understood, or was asked and fell silent.
 */
export function hostSession(
  channel: Duplex & { readonly stderr: NodeJS.ReadableStream },
  listeners: { onChange: () => void; onEnd: (lastWords: string) => void },
): HostSession {
  const waiting = new Map<number, (answer: HostAnswer | null) => void>()
  let input: Buffer = Buffer.alloc(0)
  let errors = ''
  let number = 0
  let isOver = false
  let heardAt = performance.now()

  const end = (why: string) => {
    if (isOver) return
    isOver = true
    clearInterval(watchdog)
    channel.destroy()
    for (const settle of waiting.values()) settle(null)
    listeners.onEnd(errors.trim() || why)
  }
  const isDead = () => waiting.size > 0 && performance.now() - heardAt > DEAD_AFTER_MS
  const watchdog = setInterval(() => {
    if (waiting.size === 0) heardAt = performance.now()
    // When it was us who did not run, what it said is there: it is read before the next turn.
    else if (isDead()) setImmediate(() => isDead() && end(`it has said nothing for ${DEAD_AFTER_MS} ms`))
  }, 1000)
  watchdog.unref()

  const take = (piece: Buffer) => {
    heardAt = performance.now()
    input = input.length === 0 ? piece : Buffer.concat([input, piece])
    for (;;) {
      const lineEnd = input.indexOf(0x0a)
      if (lineEnd < 0 && input.length <= MAX_HEAD_BYTES) return
      const [, of, how, code, bytes] = HEAD.exec(input.subarray(0, Math.min(lineEnd, MAX_HEAD_BYTES)).toString('latin1')) ?? []
      if (of === undefined || Number(bytes) > MAX_ANSWER_BYTES) return end('it answers what no skipcast-host says')
      const from = lineEnd + 1
      if (input.length < from + Number(bytes)) return
      const data = input.subarray(from, from + Number(bytes))
      input = input.subarray(from + Number(bytes))
      if (of === '0') listeners.onChange()
      else waiting.get(Number(of))?.(how === 'ok' ? { ok: true, data } : { ok: false, code: code!, data })
    }
  }
  channel.on('data', take)
  channel.stderr.on('data', (piece: Buffer) => (errors = (errors + piece.toString('utf8')).slice(-1000)))
  channel.once('close', () => end('the session was closed'))
  channel.once('error', () => end('the session broke'))

  return {
    request(verb, args, { data = '', timeoutMs }) {
      const bytes = Buffer.from(data, 'utf8')
      number = (number % 999_999_999) + 1
      const mine = number
      return new Promise((resolve, reject) => {
        const lost = (why: string) => reject(new AppError('HOST_UNREACHABLE', `The machine does not answer: ${why}`))
        if (isOver) return lost('the connection has ended')
        // When it was us who did not run, the answer is there: it is read before the next turn.
        const limit = setTimeout(() => setImmediate(() => settle(null, `nothing within ${timeoutMs} ms`)), timeoutMs)
        const settle = (answer: HostAnswer | null, why = 'the connection ended') => {
          clearTimeout(limit)
          if (!waiting.delete(mine)) return
          if (answer) resolve(answer)
          else lost(why)
        }
        waiting.set(mine, settle)
        channel.write(Buffer.concat([Buffer.from(`${[mine, verb, ...args, bytes.length].join(' ')}\n`, 'latin1'), bytes]))
      })
    },
    [Symbol.dispose]: () => end('we ended it'),
  }
}

import { pino, stdSerializers, type Logger as PinoLogger } from 'pino'
import pretty from 'pino-pretty'

export type Logger = PinoLogger

/** What waits for a full disk or a slow pipe; beyond it the newest lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024

/** Fields that never reach a log, at the top of a record or one level down. */
const SECRET_FIELDS = ['password', 'token', 'source_token', 'authorization', 'secret', 'cookie', 'signingKey', 'adminPassword']

/**
 * A JSON logger on standard output (pretty on a terminal). Control characters are escaped in both, so no value can forge a line.
 * A log that can't be written (a full disk) costs its lines, never the process. Secrets in known fields are blotted out; nobody should rely on it and pass them.
 */
export function createLogger(options: { level: string; pretty?: boolean; destination?: NodeJS.WritableStream }): Logger {
  const settings = {
    level: options.level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `req.headers.${name}`]), censor: '[secret]' },
  }
  if (options.pretty) {
    const style = { ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true, sync: true }
    const messageFormat = (record: Record<string, unknown>, key: string) => {
      const said = record[key]
      return typeof said === 'string' ? escaped(said) : ''
    }
    const text = pretty({ ...style, messageFormat, destination: options.destination ?? standardOutput() })
    return pino({ ...settings, serializers: { err: escapedError } }, text)
  }
  return pino(settings, options.destination ?? standardOutput())
}

function standardOutput() {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAX_WAITING_BYTES })
  output.on('error', () => {}) // there is no other place to tell it
  return output
}

/** A logger that drops everything: for tests and for callers that want quiet. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}

/** Within one line: a newline from a stranger is none here. */
function escaped(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A stack has lines of its own; they are indented where they are shown. */
function escapedError(error: Error): unknown {
  const told = stdSerializers.err(error)
  const lines = told.stack?.split('\n').map(escaped).join('\n')
  return { ...told, message: escaped(told.message), ...(lines !== undefined && { stack: lines }) }
}

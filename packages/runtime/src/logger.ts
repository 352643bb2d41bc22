import { pino, type Logger as PinoLogger } from 'pino'
import pretty from 'pino-pretty'

export type Logger = PinoLogger

/** Fields that never reach a log, at the top of a record or one level down. */
const SECRET_FIELDS = ['password', 'token', 'source_token', 'authorization', 'secret', 'cookie', 'signingKey', 'adminPassword']

/**
 * A JSON logger on standard output (pretty on a terminal). JSON strings escape control characters, so no value can forge a line.
 * Secrets in known fields are blotted out; nobody should rely on it and pass them.
 */
export function createLogger(options: { level: string; pretty?: boolean; destination?: NodeJS.WritableStream }): Logger {
  const settings = {
    level: options.level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `req.headers.${name}`]), censor: '[secret]' },
  }
  if (options.pretty)
    return pino(settings, pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true, sync: true }))
  return options.destination ? pino(settings, options.destination) : pino(settings)
}

/** A logger that drops everything: for tests and for callers that want quiet. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}

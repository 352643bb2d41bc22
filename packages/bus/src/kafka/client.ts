import { AppError, type Logger } from '@skipcast/runtime'
import { Kafka, logLevel, type logCreator, type SASLOptions } from 'kafkajs'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusSecurity } from '../config-security.ts'
import { calmRequestQueues } from './request-queue.ts'
import { cutOff, socketOpener } from './sockets.ts'

const CONNECT_LIMIT_MS = 3000
const REQUEST_LIMIT_MS = 10_000
const GOODBYE_LIMIT_MS = 2000

/** One client of kafkajs, for one producer, consumer or admin. */
interface KafkaLine {
  readonly kafka: Kafka
  /**
   * Lets what runs on the line come to its end for a moment, unless not `gently`, then cuts it for good. Without the cut kafkajs goes on for a while after it
   * was told to end: it connects again, sends again, and keeps a socket and a timer for each attempt.
   */
  hangUp(connection: { disconnect(): Promise<void> }, how?: { readonly gently: boolean }): Promise<void>
}

export type OpenLine = () => KafkaLine

/**
 * kafkajs, told to give up soon: whoever uses it here opens a new line when something has failed, as its own ways of getting well
 * again have gaps (it waits on connections that are gone, or ends without a word). Throws CONFIG_INVALID when a certificate or key can
 * not be used.
 */
export function kafkaLines(options: {
  brokers: readonly string[]
  clientId: string
  security: BusSecurity
  logger: Logger
}): OpenLine {
  calmRequestQueues()
  const openSocket = socketOpener(options.security)
  const { login } = options.security
  return () => {
    const sockets = new Set<Socket>()
    let isCut = false

    const kafka = new Kafka({
      brokers: [...options.brokers],
      clientId: options.clientId,
      // A copy, as kafkajs keeps things of its own in it. It has a type for each mechanism, though all are the same.
      ...(login && { sasl: { ...login } as SASLOptions }),
      connectionTimeout: CONNECT_LIMIT_MS,
      requestTimeout: REQUEST_LIMIT_MS,
      retry: { initialRetryTime: 100, retries: 4, maxRetryTime: 1000 },
      logLevel: logLevel.INFO,
      logCreator: quietLog(options.logger),
      socketFactory({ host, port, onConnect }) {
        if (isCut) throw new Error('the line was cut')
        const socket = openSocket(host, port, onConnect)
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        return socket
      },
    })
    return {
      kafka,
      async hangUp(connection, { gently } = { gently: true }) {
        const cut = () => {
          isCut = true
          for (const socket of sockets) cutOff(socket)
        }
        const ended = within(GOODBYE_LIMIT_MS, 'to say goodbye', connection.disconnect()).catch(() => undefined)
        // Cut off in the middle, kafkajs tries for some two seconds to say it after all, in vain: nobody waits for that.
        if (gently) await ended
        cut()
      },
    }
  }
}

/** What kafkajs says, two levels quieter: it calls each failed attempt an error, and we tell ourselves what matters. */
function quietLog(logger: Logger): logCreator {
  const levels = { [logLevel.ERROR]: 'debug', [logLevel.WARN]: 'debug', [logLevel.INFO]: 'trace' } as const
  return () =>
    ({ namespace, level, log }) => {
      if (level !== logLevel.ERROR && level !== logLevel.WARN && level !== logLevel.INFO) return
      const { message, error, broker, groupId } = log as Record<string, unknown>
      logger[levels[level]]({ kafkajs: namespace, error, broker, groupId }, String(message))
    }
}

/** The same promise, but given up after `limitMs` with BUS_UNAVAILABLE. */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const timeout = sleep(limitMs, undefined, { signal: timer.signal }).then(() => {
    throw new AppError('BUS_UNAVAILABLE', `Waited ${limitMs} ms in vain for Kafka: ${what}`)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    timer.abort()
    timeout.catch(() => undefined)
    promise.catch(() => undefined)
  }
}

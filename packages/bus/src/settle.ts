import type { EventTopic, MessageOf } from '@skipcast/contracts'
import { messageOf, type Logger } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordRetry, type RetryPolicy } from './retry.ts'
import { decode, type WireRecord } from './wire.ts'

export interface Delivery<T extends EventTopic, R extends WireRecord> {
  readonly topic: T
  readonly handle: (message: MessageOf<T>) => Promise<void>
  /** Puts a record among the dead letters. A rejection is tried again. */
  readonly bury: (record: R, reason: string) => Promise<void>
  readonly retry: RetryPolicy
  readonly logger: Logger
}

/**
 * Brings one record to its end: handled, or among the dead letters. Resolves with true then, and with false when `signal` came
 * first: the record has to be handed out again. Never rejects.
 */
export async function settle<T extends EventTopic, R extends WireRecord>(
  delivery: Delivery<T, R>,
  record: R,
  signal: AbortSignal,
): Promise<boolean> {
  const retry = recordRetry(delivery.retry)
  let deadBecause: string | null = null
  while (!signal.aborted) {
    try {
      if (deadBecause === null) {
        const decoded = decode(delivery.topic, record.value)
        if ('message' in decoded) {
          await delivery.handle(decoded.message)
          return true
        }
        deadBecause = decoded.unreadable
      }
      await delivery.bury(record, deadBecause)
      delivery.logger.error({ key: record.key, reason: deadBecause }, 'a record went to the dead letters')
      return true
    } catch (error) {
      const next = retry.failed(error)
      if (next.kind === 'dead' && deadBecause === null) {
        deadBecause = next.reason
        continue
      }
      delivery.logger.warn({ key: record.key, problem: messageOf(error) }, 'a record is tried again')
      await sleep(next.afterMs, undefined, { signal }).catch(() => undefined)
    }
  }
  return false
}

import { deadLetterTopic } from '@skipcast/contracts'
import type { KafkaMessage } from 'kafkajs'
import { MAX_RECORD_BYTES } from '../wire.ts'
import type { Publisher } from './publisher.ts'

interface Letter {
  readonly topicName: string
  readonly partition: number
  readonly group: string
  readonly message: KafkaMessage
  readonly reason: string
}

/** Keeps a record on the dead-letter topic of its topic. Rejects with BUS_UNAVAILABLE. */
export type BuryLetter = (letter: Letter) => Promise<void>

const MAX_REASON_LENGTH = 2000

/**
 * Key and value stay byte for byte what they were, and so do the headers; beside these stands why, and where the record came from. Only
 * a value too large to be taken again is left out: it is still on its own topic.
 */
export function deadLetters(publisher: Publisher): BuryLetter {
  return ({ topicName, partition, group, message, reason }) => {
    const isTooLarge = (message.value?.length ?? 0) > MAX_RECORD_BYTES
    const headers = {
      ...message.headers,
      'dead-letter-reason': reason.slice(0, MAX_REASON_LENGTH),
      'dead-letter-topic': topicName,
      'dead-letter-partition': String(partition),
      'dead-letter-offset': message.offset,
      'dead-letter-group': group,
      'dead-letter-time': new Date().toISOString(),
      ...(isTooLarge && { 'dead-letter-value': 'left out: too large' }),
    }
    const value = isTooLarge ? null : message.value
    return publisher.publish(deadLetterTopic(topicName), [{ key: message.key, value, headers }])
  }
}

import { messages, topics, versions, type MessageOf, type Topic } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import type { Outgoing } from './ports.ts'

/** Largest value of one record. A wanted stream of 10 000 tracks with usual titles has about 3 MiB. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024
const MAX_KEY_LENGTH = 200

/** A record as it stands on the wire: JSON text, or null where the key is to be removed. */
export interface WireRecord {
  readonly key: string
  readonly value: string | null
}

export type Decoded<T extends Topic> = { readonly message: MessageOf<T> } | { readonly unreadable: string }

/**
 * Validates a message and writes it as JSON, without fields the contract does not know, and with the version of the contract that it
 * was held against. Throws MESSAGE_INVALID.
 */
export function encode<T extends Topic>(topic: T, { key, value }: Outgoing<T>): WireRecord {
  if (key === '' || key.length > MAX_KEY_LENGTH) throw invalid(topic, `a key has 1 to ${MAX_KEY_LENGTH} characters`)
  if (value === null) {
    if (topics[topic].kind === 'events') throw invalid(topic, 'an event can not be taken back')
    return { key, value }
  }
  const result = messages[topic].safeParse(value)
  if (!result.success) throw invalid(topic, z.prettifyError(result.error))
  const text = JSON.stringify({ ...result.data, version: versions[result.data.event] })
  if (Buffer.byteLength(text) > MAX_RECORD_BYTES) throw invalid(topic, `larger than ${MAX_RECORD_BYTES} bytes`)
  return { key, value: text }
}

/** Reads a message, dropping fields the contract does not know; or says why it can't be read. */
export function decode<T extends Topic>(topic: T, value: string | null): Decoded<T> {
  if (value === null) return { unreadable: 'the record has no value' }
  let json: unknown
  try {
    json = JSON.parse(value)
  } catch {
    return { unreadable: 'the value is not JSON' }
  }
  const result = messages[topic].safeParse(json)
  if (!result.success) return { unreadable: z.prettifyError(result.error) }
  return { message: result.data as MessageOf<T> }
}

function invalid(topic: Topic, why: string): AppError {
  return new AppError('MESSAGE_INVALID', `This is no message for ${topics[topic].defaultName}: ${why}`)
}

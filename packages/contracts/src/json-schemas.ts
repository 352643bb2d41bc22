import { z } from 'zod'
import { messages } from './messages.ts'
import { topics, type Topic } from './topics.ts'
import { versions, type EventName } from './versions.ts'

/** The schema of one message for readers in any language, with where it stands and its version. */
export interface MessageSchema {
  readonly title: EventName
  readonly 'x-topic': string
  readonly 'x-version': number
  readonly [keyword: string]: unknown
}

/**
 * What readers accept as each message, as JSON Schema 2020-12, by event. Fields that are not named may be there: readers
 * strip them.
 */
export function messageSchemas(): ReadonlyMap<EventName, MessageSchema> {
  const found = new Map<EventName, MessageSchema>()
  for (const topic of Object.keys(messages) as Topic[]) {
    const message = messages[topic]
    for (const option of message instanceof z.ZodDiscriminatedUnion ? message.options : [message]) {
      const title = option.shape.event.value
      const { $schema, ...schema } = z.toJSONSchema(option, { io: 'input' })
      found.set(title, {
        $schema,
        title,
        'x-topic': topics[topic].defaultName,
        'x-version': versions[title],
        ...(schema as Record<string, unknown>),
      })
    }
  }
  return found
}

/**
 * Every difference between two schemas that a reader or a writer of the older one could notice: all but added optional fields, at
 * any depth. Each is told with its path.
 */
export function breakingChanges(before: unknown, after: unknown, path = 'message'): string[] {
  if (!isObject(before) || !isObject(after)) {
    const [was, is] = [JSON.stringify(before), JSON.stringify(after)]
    return was === is ? [] : [`${path}: ${was} became ${is}`]
  }
  const changes: string[] = []
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (key === 'properties') changes.push(...changedFields(before[key], after[key], path))
    else if (key === 'required') changes.push(...changedNeeds(before[key], after[key], path))
    else changes.push(...breakingChanges(before[key], after[key], `${path}.${key}`))
  }
  return changes
}

/** An added field shows in `required`, if it breaks anything. */
function changedFields(before: unknown, after: unknown, path: string): string[] {
  const [had, has] = [isObject(before) ? before : {}, isObject(after) ? after : {}]
  return Object.entries(had).flatMap(([name, schema]) =>
    name in has ? breakingChanges(schema, has[name], `${path}.${name}`) : [`${path}.${name}: is gone`],
  )
}

function changedNeeds(before: unknown, after: unknown, path: string): string[] {
  const [had, has] = [new Set(Array.isArray(before) ? before : []), new Set(Array.isArray(after) ? after : [])]
  return [
    ...[...has].filter((name) => !had.has(name)).map((name) => `${path}.${name}: is required now`),
    ...[...had].filter((name) => !has.has(name)).map((name) => `${path}.${name}: is no longer required`),
  ]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { breakingChanges, messageSchemas, type MessageSchema } from './json-schemas.ts'

const DIRECTORY = fileURLToPath(new URL('../schemas', import.meta.url))

/** How one message stands to its snapshot. */
export type Comparison =
  | { readonly kind: 'same' }
  /** A new message, an added optional field, or a risen version: the snapshot may follow. */
  | { readonly kind: 'grown' }
  /** Changed under the same version, or gone: `advice` says what to do. */
  | { readonly kind: 'broken'; readonly advice: string }

export interface Compared {
  readonly event: string
  readonly file: string
  /** What the snapshot should hold; null where there is no such message any more. */
  readonly text: string | null
  readonly comparison: Comparison
}

/** Holds every message against its file in `schemas/`, and every file against its message. */
export function compareSchemas(): Compared[] {
  const schemas = messageSchemas()
  const orphans = readdirSync(DIRECTORY)
    .map((name) => name.replace(/\.json$/, ''))
    .filter((event) => !(schemas as ReadonlyMap<string, MessageSchema>).has(event))
  return [
    ...[...schemas].map(([event, schema]) => {
      const file = fileOf(event)
      const text = `${JSON.stringify(schema, null, 2)}\n`
      return { event, file, text, comparison: compare(event, readSnapshot(file), schema) }
    }),
    ...orphans.map((event) => ({
      event,
      file: fileOf(event),
      text: null,
      comparison: { kind: 'broken', advice: adviceForOrphan(event) } as const,
    })),
  ]
}

/** Decides how a schema stands to its snapshot, if there is one. */
export function compare(event: string, before: MessageSchema | null, after: MessageSchema): Comparison {
  if (before === null) return { kind: 'grown' }
  if (JSON.stringify(before) === JSON.stringify(after)) return { kind: 'same' }
  const [was, is] = [before['x-version'], after['x-version']]
  if (is > was) return { kind: 'grown' }
  const changes = breakingChanges(before, after)
  return changes.length === 0 ? { kind: 'grown' } : { kind: 'broken', advice: adviceFor(event, was, changes) }
}

function adviceFor(event: string, version: number, changes: readonly string[]): string {
  return `The message ${event} changed in a way that readers of its version ${version} may not understand:
${changes.map((change) => `  - ${change}`).join('\n')}
Either undo it (a new field must be optional; an old one stays as it is), or raise the version:
  1. packages/contracts/src/versions.ts: ${event}: ${version + 1}
  2. make every reader take both versions, as records of the old one stay on the topic
  3. npm run generate:schemas, and commit packages/contracts/schemas/${event}.json`
}

function adviceForOrphan(event: string): string {
  return `There is no message ${event} any more, but packages/contracts/schemas/${event}.json tells readers of it.
Bring the message back, or delete the file once no record of it can be on its topic.`
}

function fileOf(event: string): string {
  return join(DIRECTORY, `${event}.json`)
}

function readSnapshot(file: string): MessageSchema | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MessageSchema
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

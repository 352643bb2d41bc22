import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, isAppError, messageOf, type Logger } from '@skipcast/runtime'
import { Client } from 'pg'
import { storeError } from './database-errors.ts'
import { newId } from './new-id.ts'

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url))
/** The advisory lock that Prisma Migrate takes. */
const LOCK = 72_707_369
const CONNECT_TIMEOUT_MS = 5000

interface Applied {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: Date | null
}

/**
 * Brings the tables up to this version: what `prisma migrate deploy` does, with the same lock, the same rows in
 * `_prisma_migrations` and the same checksums, but with `pg` alone. Safe with several processes at once: one does it, the others wait.
 * Resolves with the names of what it applied. Rejects with DATABASE_UNAVAILABLE, or CONFLICT when a migration fails (nothing of it remains)
 * or when Prisma's own runner left one half done.
 */
export async function migrate(url: string, options: { logger: Logger; directory?: string }): Promise<string[]> {
  const client = new Client({
    connectionString: url,
    application_name: 'skipcast-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {}) // told by the statement that runs
  try {
    await client.connect()
    await client.query('SELECT pg_advisory_lock($1)', [LOCK])
    return await applyMissing(client, options.directory ?? MIGRATIONS, options.logger)
  } catch (error) {
    throw storeError(error)
  } finally {
    await client.end() // frees the lock
  }
}

async function applyMissing(client: Client, directory: string, logger: Logger): Promise<string[]> {
  const done = await readApplied(client)
  const applied: string[] = []
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  for (const name of names.toSorted()) {
    const script = await readFile(join(directory, name, 'migration.sql'))
    const checksum = createHash('sha256').update(script).digest('hex')
    const known = done.get(name)
    if (known === undefined) {
      await apply(client, name, script.toString('utf8'), checksum)
      applied.push(name)
    } else if (known !== checksum) logger.warn({ migration: name }, 'a migration was changed after it was applied')
  }
  return applied
}

/** Name → checksum of everything applied. */
async function readApplied(client: Client): Promise<Map<string, string>> {
  await client.query(`
    CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
      "id" VARCHAR(36) PRIMARY KEY NOT NULL,
      "checksum" VARCHAR(64) NOT NULL,
      "finished_at" TIMESTAMPTZ,
      "migration_name" VARCHAR(255) NOT NULL,
      "logs" TEXT,
      "rolled_back_at" TIMESTAMPTZ,
      "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
      "applied_steps_count" INTEGER NOT NULL DEFAULT 0
    )`)
  const { rows } = await client.query<Applied>(
    'SELECT * FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at',
  )
  const failed = rows.filter((row) => row.finished_at === null).map((row) => row.migration_name)
  if (failed.length > 0) {
    throw new AppError(
      'CONFLICT',
      `The migration ${failed.join(', ')} failed before. See what it left, then: npx prisma migrate resolve --rolled-back ${failed[0]}`,
    )
  }
  return new Map(rows.map((row) => [row.migration_name, row.checksum]))
}

/** Script and note in one transaction: killed at any moment, a migration has happened and is noted, or neither. */
async function apply(client: Client, name: string, script: string, checksum: string): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(script)
    await client.query(
      'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)',
      [newId(), checksum, name],
    )
    await client.query('COMMIT')
  } catch (error) {
    const cause = storeError(error)
    if (isAppError(cause)) throw cause
    await client.query('ROLLBACK')
    throw new AppError('CONFLICT', `The migration ${name} failed and was rolled back: ${messageOf(cause)}`, { cause })
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { backoff, isAppError, messageOf, startLoop, type Logger } from '@skipcast/runtime'
import { Client } from 'pg'
import { connectionSettings, type Database, type Statement } from './database.ts'
import { storeError } from './database-errors.ts'

/**
 * The connection that holds the lock. What a leader writes through it can't be written by one who lost the lock without
 * knowing: with the connection, both are gone.
 */
export interface LeaderSession {
  /** A statement with a name is prepared once. Rejects with DATABASE_UNAVAILABLE. */
  query<Row>(sql: string | Statement, values?: readonly unknown[]): Promise<Row[]>
}

export interface LeadershipOptions {
  readonly database: Pick<Database, 'url' | 'query'>
  readonly logger: Logger
  /** Of all processes that share the database, one at a time leads under this name. */
  readonly name: string
  /** Notifications (NOTIFY) on this channel reach the leader. */
  readonly channel: string
  /** Starts what only the leader does. It is disposed when the lead is lost. */
  readonly lead: (session: LeaderSession) => { onNotify(): void } & AsyncDisposable
}

const HANG_UP_MS = 1000
/** The leader says so often that it lives, and those who wait look so often whether it does. */
const BEAT_MS = 400
/** A leader that said nothing for so long is frozen, or cut off: its connection is ended by those who wait, which frees the lock. */
const FROZEN_AFTER_MS = 1400
/** Where nobody waits, PostgreSQL itself finds out within about 10 s that a machine is gone. */
const NOTICE_DEAD_LEADERS = `
  SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
  SET client_connection_check_interval = 2000`

const LOCK_KEY = 'hashtextextended($1, 0)'
const END_FROZEN_LEADER = {
  name: 'end-frozen-leader',
  text: `
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.datname = current_database()
      AND (l.classid::bigint << 32 | l.objid::bigint) = ${LOCK_KEY}
      AND a.state = 'idle' AND a.state_change < clock_timestamp() - interval '${FROZEN_AFTER_MS} milliseconds'`,
}

/**
 * Waits in the background to become the leader, leads until the connection or this is gone, and begins again. The lock is
 * an advisory lock of PostgreSQL: when its holder dies, the next in the queue has it at once; when it freezes, or its network does, within 2 s.
 */
export function leadership(options: LeadershipOptions): AsyncDisposable {
  const closing = new AbortController()
  const wait = backoff({ firstMs: 100, mostMs: 5000 })
  const reign = async () => {
    while (!closing.signal.aborted) {
      await serveOneTerm(options, closing.signal, () => wait.reset()).catch((error: unknown) => {
        options.logger.debug({ lead: options.name, problem: messageOf(error) }, 'not leading: the database does not answer')
      })
      await sleep(wait.next(), undefined, { signal: closing.signal }).catch(() => {})
    }
  }
  const reigning = reign()
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await reigning
    },
  }
}

async function serveOneTerm(options: LeadershipOptions, closing: AbortSignal, onLead: () => void): Promise<void> {
  const { statement_timeout: _, query_timeout: limitMs, ...settings } = connectionSettings(options.database.url)
  const client = new Client(settings) // without limits: waiting for the lock may take for ever
  const over = Promise.withResolvers<void>()
  client.on('error', () => over.resolve())
  client.on('end', () => over.resolve())
  let leading = false
  const close = () => (leading ? over.resolve() : void hangUp(client))
  closing.addEventListener('abort', close, { once: true })
  try {
    await client.connect()
    await client.query(NOTICE_DEAD_LEADERS)
    {
      await using _watch = watchLeader(options)
      await client.query(`SELECT pg_advisory_lock(${LOCK_KEY})`, [options.name])
    }
    await client.query(`LISTEN ${client.escapeIdentifier(options.channel)}`)
    if (closing.aborted) return
    leading = true
    onLead()
    options.logger.debug({ lead: options.name }, 'leading')
    const session = sessionOf(client, limitMs, over.resolve)
    await using _beats = startLoop(async () => void (await session.query('SELECT 1')), {
      everyMs: BEAT_MS,
      onError: () => over.resolve(),
    })
    await using work = options.lead(session)
    client.on('notification', () => work.onNotify())
    await over.promise
  } finally {
    closing.removeEventListener('abort', close)
    await hangUp(client)
  }
}

/** While waiting for the lock: ends the connection of a leader that has it and does nothing any more. */
function watchLeader({ database, name, logger }: LeadershipOptions): AsyncDisposable {
  const look = async () => {
    const ended = await database.query(END_FROZEN_LEADER, [name])
    if (ended.length > 0) logger.warn({ lead: name }, 'the leader does not move: its lead was ended')
  }
  return startLoop(look, { everyMs: BEAT_MS, onError: () => {} }) // the wait for the lock hears of a lost database too
}

/** A connection that failed once is not trusted with the lead: `onFailure` ends the term. */
function sessionOf(client: Client, limitMs: number | undefined, onFailure: () => void): LeaderSession {
  return {
    async query<Row>(sql: string | Statement, values: readonly unknown[] = []) {
      const statement = typeof sql === 'string' ? { text: sql } : sql
      try {
        const { rows } = await client.query({ ...statement, values: [...values], ...(limitMs && { query_timeout: limitMs }) })
        return rows as Row[]
      } catch (error) {
        const foreseen = storeError(error)
        if (isAppError(foreseen)) onFailure()
        throw foreseen
      }
    },
  }
}

/** A server that is frozen does not say goodbye; it is not waited for. */
async function hangUp(client: Client): Promise<void> {
  const ended = client.end().catch(() => {})
  await Promise.race([ended, sleep(HANG_UP_MS, undefined, { ref: false })])
}

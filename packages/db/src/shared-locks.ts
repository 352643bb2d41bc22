import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { connectionSettings, type Database } from './database.ts'
import { storeError } from './database-errors.ts'

/** Locks by name, which all processes see that share the database. Within one process the caller sees to it that nobody takes one twice. */
export interface SharedLocks extends AsyncDisposable {
  /**
   * Resolves to the lock, which its disposal gives back; null: another process has it still after so long, or `stop` came. `onWanted` is called when another process
   * waits for it, and when it is lost with the connection to the database. Rejects with DATABASE_UNAVAILABLE.
   */
  take(name: string, options: TakeOptions): Promise<AsyncDisposable | null>
}

interface TakeOptions {
  readonly waitMs: number
  readonly stop: AbortSignal
  readonly onWanted: () => void
}

const LOOK_EVERY_MS = 100
const CHANNEL = 'skipcast_wanted_locks'
/** Where nobody notices, PostgreSQL itself finds out within about 10 s that a machine is gone, and frees what it had. */
const PREPARE = `
  SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
  LISTEN ${CHANNEL}`
const KEY = 'hashtextextended($1, 3)'

/**
 * Advisory locks of one connection, which is opened with the first: however many are held, and for however long, they take nobody else’s connection, and none outlives its
 * process. Who waits for one says so (NOTIFY), as its holder may be waiting for somebody who is gone.
 */
export function sharedLocks({ url }: Pick<Database, 'url'>): SharedLocks {
  let client: Client | undefined
  let opening: Promise<Client> | undefined
  const held = new Map<string, () => void>()

  const connect = async (): Promise<Client> => {
    const made = new Client(connectionSettings(url))
    const lose = () => {
      if (client !== made) return
      client = undefined
      const lost = [...held.values()]
      held.clear()
      for (const tell of lost) tell()
    }
    made.on('error', lose)
    made.on('end', lose)
    made.on('notification', ({ payload = '' }) => held.get(payload)?.())
    await made.connect()
    await made.query(PREPARE)
    client = made
    return made
  }
  const open = async () => client ?? (await (opening ??= connect().finally(() => (opening = undefined))))
  const ask = async (sql: string, name: string): Promise<boolean> => {
    try {
      const { rows } = await (await open()).query<{ is_so: boolean }>(`SELECT ${sql} AS is_so`, [name])
      return rows[0]!.is_so
    } catch (error) {
      throw storeError(error)
    }
  }

  return {
    async take(name, { waitMs, stop, onWanted }) {
      const endsAt = performance.now() + waitMs
      while (!(await ask(`pg_try_advisory_lock(${KEY})`, name))) {
        if (stop.aborted || performance.now() >= endsAt) return null
        await ask(`pg_notify('${CHANNEL}', $1) IS NOT NULL`, name)
        await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {})
      }
      held.set(name, onWanted)
      return {
        async [Symbol.asyncDispose]() {
          if (!held.delete(name)) return // lost with its connection
          await ask(`pg_advisory_unlock(${KEY})`, name).catch(hangUp)
        },
      }
    },
    [Symbol.asyncDispose]: hangUp,
  }

  async function hangUp(): Promise<void> {
    await opening?.catch(() => {})
    await client?.end().catch(() => {})
  }
}

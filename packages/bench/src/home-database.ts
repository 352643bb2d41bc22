import { openDatabase, type Database } from '@skipcast/db'
import { silentLogger, type Home } from '@skipcast/runtime'

/** A great many rows at once, and the indexes of them. */
const PATIENCE = { connectMs: 10_000, waitMs: 10_000, statementMs: 20 * 60_000, transactionMs: 20 * 60_000 }

/** The PostgreSQL that a Skipcast of this home runs: the way around the API, for what the API can't be asked for. */
export async function homeDatabase(home: Home): Promise<Database> {
  const [password, port] = await Promise.all([home.secret('postgres'), home.port('postgres')])
  const url = `postgresql://skipcast:${password}@127.0.0.1:${port}/postgres`
  return openDatabase(url, { logger: silentLogger(), patience: PATIENCE })
}

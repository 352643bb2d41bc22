import { openDatabase, type Database } from '@skipcast/db'
import { silentLogger, type Home } from '@skipcast/runtime'

/** The PostgreSQL that a Skipcast of this home runs: the way around the API, for what the API can't be asked for. */
export async function homeDatabase(home: Home): Promise<Database> {
  const [password, port] = await Promise.all([home.secret('postgres'), home.port('postgres')])
  return openDatabase(`postgresql://skipcast:${password}@127.0.0.1:${port}/postgres`, { logger: silentLogger() })
}

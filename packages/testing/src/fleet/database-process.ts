import { join } from 'node:path'
import { localPostgres } from '@skipcast/db'
import { openHome, silentLogger, writeFileAtomic } from '@skipcast/runtime'
import { URL_FILE } from './database.ts'

/** Keeps a PostgreSQL on the machine that it runs on, for a network: `node database-process.ts HOME ADDRESS NETWORK`. */
const [home, address, from] = process.argv.slice(2) as [string, string, string]
const postgres = await localPostgres(await openHome(home), {
  logger: silentLogger(),
  onStop: 'stop',
  listen: { address, from },
})
await writeFileAtomic(join(home, URL_FILE), postgres.url)
process.once('SIGTERM', () => void postgres[Symbol.asyncDispose]())

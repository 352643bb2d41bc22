import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify, openHome, silentLogger } from '@skipcast/runtime'
import { localPostgres } from '../postgres/local-postgres.ts'

const NAME = /^skipcast-test-postgres-(\d+)-(\d+)$/

/** The URL of the PostgreSQL that all test files of this process share. The first to ask starts it; it runs on until the run ends. */
export async function testServer(): Promise<string> {
  const path = join(tmpdir(), `skipcast-test-postgres-${process.ppid}-${process.pid}`)
  await mkdir(path, { recursive: true })
  await chmod(path, 0o711)
  await using postgres = await localPostgres(await openHome(path), { logger: silentLogger(), onStop: 'hand-over' })
  return postgres.url
}

/** Ends the servers of this run, of its workers, and of runs that were killed before they could do it. */
export async function stopTestServers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, parent, owner] = (NAME.exec(name) ?? []).map(Number)
    if (parent === undefined || owner === undefined) continue
    if (owner !== process.pid && parent !== process.pid && identify(owner) !== null) continue
    const path = join(tmpdir(), name)
    const server = await localPostgres(await openHome(path), { logger: silentLogger(), onStop: 'stop' })
    await server[Symbol.asyncDispose]()
    await rm(path, { recursive: true, force: true })
  }
}

import { makeDirectory, openHome, type Home } from '@skipcast/runtime'
import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Kafka's jars, fetched once for all test runs of this checkout. */
const PROGRAMS = fileURLToPath(new URL('../../../node_modules/.cache/skipcast-programs', import.meta.url))

/** An empty home that is removed in the end. Kafka is there already, unless `isBare`. */
export async function testHome(options: { isBare?: boolean } = {}): Promise<Home & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'skipcast-kafka-test-'))
  await chmod(directory, 0o711) // the broker runs as another user
  const home = await openHome(directory)
  if (!options.isBare) await symlink(await makeDirectory(PROGRAMS, { mode: 0o755 }), join(home.path, 'programs'))
  return { ...home, [Symbol.asyncDispose]: () => rm(home.path, { recursive: true, force: true, maxRetries: 10 }) }
}

import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDirectory } from '@skipcast/runtime'

const PROGRAMS = fileURLToPath(new URL('../../../node_modules/.cache/skipcast-programs', import.meta.url))

/** Lets a home have Kafka's jars where all test runs of this checkout have them: they are fetched once. Does nothing where it has some already. */
export async function shareProgramsWith(homePath: string): Promise<void> {
  await symlink(await makeDirectory(PROGRAMS, { mode: 0o755 }), join(homePath, 'programs')).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
}

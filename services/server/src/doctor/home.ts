import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { finding, type Finding } from './finding.ts'

/** Files that nobody but their owner may read. */
const SECRET_FILES = ['admin-token']
const SECRET_DIRECTORIES = ['secrets']

/** Whether this user may write the home, and nobody else may read its secrets. */
export async function checkHome(home: string): Promise<Finding[]> {
  const found = await stat(home).catch((error: NodeJS.ErrnoException) => error.code)
  if (found === 'ENOENT') return [{ what: `home ${home}: not there yet, made at the first start` }]
  if (typeof found !== 'object' || !found.isDirectory())
    return [
      { what: `home ${home} is no directory that can be entered`, problem: { cure: 'Set SKIPCAST_HOME to another place.' } },
    ]
  const isWritable = await access(home, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  const open = await openSecrets(home)
  return [
    finding(
      `home ${home}: this user may write`,
      isWritable,
      'Run Skipcast as the owner of its home, or set SKIPCAST_HOME to a place of your own.',
    ),
    finding(
      open.length === 0 ? 'secrets: only their owner may read them' : `secrets that others may read: ${open.join(', ')}`,
      open.length === 0,
      `chmod 600 ${open.join(' ')}; and replace what others may have read.`,
    ),
  ]
}

async function openSecrets(home: string): Promise<string[]> {
  const inside = await Promise.all(
    SECRET_DIRECTORIES.map(async (name) =>
      (await readdir(join(home, name)).catch(() => [])).map((file) => join(home, name, file)),
    ),
  )
  const files = [...SECRET_FILES.map((name) => join(home, name)), ...inside.flat()]
  const modes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mode }) => mode & 0o077,
        () => 0,
      ),
    ),
  )
  return files.filter((_, index) => modes[index] !== 0)
}

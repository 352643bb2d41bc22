import { join } from 'node:path'
import type { AccountStore } from '@skipcast/db'
import { readFileIfThere, writeFileAtomic } from '@skipcast/runtime'

/**
 * Sees to it that somebody can begin: there is an administrator, and `$SKIPCAST_HOME/admin-token` (0600) holds a token of theirs
 * that works. A lost or useless file is replaced, and the token it held ends. Rejects with DATABASE_UNAVAILABLE.
 */
export async function makeAdministrator(accounts: AccountStore, options: { home: string; serverId: string }): Promise<void> {
  const administrator = (await accounts.findAdministrator()) ?? (await accounts.createUser({ username: 'admin', role: 'admin' }))
  const path = join(options.home, 'admin-token')
  const known = (await readFileIfThere(path))?.trim()
  if (known !== undefined && (await accounts.identify(known))?.user.role === 'admin') return
  const { secret } = await accounts.createToken(administrator.id, `first token of ${options.serverId}`, { replace: true })
  await writeFileAtomic(path, `${secret}\n`)
}

import { isAppError, type ErrorCode, type Logger } from '@skipcast/runtime'
import { eraseAccounts, type ErasePorts } from './erase-accounts.ts'
import { forAllListed } from './for-all-listed.ts'
import type { ApiPorts } from './ports.ts'

/**
 * Ends an account: nothing speaks for its user from now on, their streams are stopped, and their channels and pieces are in the trash. Killed in between, the leader puts them
 * there. With `erase`, the leader removes all that is theirs next. Resolves to whether there was such a user. Rejects with CONFLICT for the only administrator,
 * DATABASE_UNAVAILABLE.
 */
export async function endAccount(
  ports: Pick<ApiPorts, 'stores'>,
  userId: string,
  options: { readonly erase: boolean },
): Promise<boolean> {
  const wasThere = await ports.stores.accounts.deleteUser(userId, options)
  await discardOrphans(ports)
  return wasThere
}

/**
 * Stops the channels of users who are gone and puts them into the trash, then their pieces: also what they made or started in the moment before. A piece that is the
 * only one of somebody else's running channel stays until that has another. Rejects with DATABASE_UNAVAILABLE.
 */
export async function discardOrphans({ stores }: Pick<ApiPorts, 'stores'>): Promise<void> {
  const { accounts, channels, mediaTrash } = stores
  const discard = async (id: string) => {
    const channel = await channels.find(id)
    if (channel) await channels.discard(channel).catch(allow('NOT_FOUND'))
  }
  await forAllListed((limit) => accounts.listOrphanedChannels(limit), discard)
  await forAllListed(
    (limit, after) => accounts.listOrphanedMedia(after, limit),
    (id) => mediaTrash.put(id).catch(allow('NOT_FOUND', 'CONFLICT')),
  )
}

function allow(...codes: ErrorCode[]): (error: unknown) => void {
  return (error) => {
    if (!codes.some((code) => isAppError(error, code))) throw error
  }
}

/** One pass of the leader: what has expired goes, and what is to be erased. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function keepAccounts(ports: ErasePorts & { readonly logger: Logger }, now: Date): Promise<void> {
  await ports.stores.accounts.forgetExpired(now)
  await discardOrphans(ports)
  await eraseAccounts(ports, ports.logger)
}

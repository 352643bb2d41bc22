import { isAppError, type Logger } from '@skipcast/runtime'
import { eraseAccounts, type ErasePorts } from './erase-accounts.ts'
import type { ApiPorts } from './ports.ts'

const CHANNELS_AT_ONCE = 100

/**
 * Ends an account: nothing speaks for its user from now on, their streams are stopped, and their channels are in the trash. Killed in between, the leader puts them
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

/** Stops the channels of users who are gone and puts them into the trash: also what they made or started in the moment before. Rejects with DATABASE_UNAVAILABLE. */
export async function discardOrphans({ stores: { accounts, channels } }: Pick<ApiPorts, 'stores'>): Promise<void> {
  for (let ids = await accounts.listOrphanedChannels(CHANNELS_AT_ONCE); ids.length > 0;) {
    for (const id of ids) {
      const channel = await channels.find(id)
      if (!channel) continue
      await channels.discard(channel).catch((error: unknown) => {
        if (!isAppError(error, 'NOT_FOUND')) throw error
      })
    }
    ids = await accounts.listOrphanedChannels(CHANNELS_AT_ONCE)
  }
}

/** One pass of the leader: what has expired goes, and what is to be erased. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function keepAccounts(ports: ErasePorts & { readonly logger: Logger }, now: Date): Promise<void> {
  await ports.stores.accounts.forgetExpired(now)
  await discardOrphans(ports)
  await eraseAccounts(ports, ports.logger)
}

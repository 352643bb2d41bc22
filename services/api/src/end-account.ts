import { isAppError, type Logger } from '@skipcast/runtime'
import { eraseAccounts, type ErasePorts } from './erase-accounts.ts'
import type { ApiPorts } from './ports.ts'
import { stopStream } from './switch-stream.ts'

const CHANNELS_AT_ONCE = 100

/**
 * Ends an account: nothing speaks for its user from now on, and their streams are stopped. Killed in between, the leader stops them. With `erase`, the leader removes
 * all that is theirs next. Resolves to whether there was such a user. Rejects with CONFLICT for the only administrator, DATABASE_UNAVAILABLE.
 */
export async function endAccount(
  ports: Pick<ApiPorts, 'stores'>,
  userId: string,
  options: { readonly erase: boolean },
): Promise<boolean> {
  const wasThere = await ports.stores.accounts.deleteUser(userId, options)
  await stopOrphanedStreams(ports)
  return wasThere
}

/** Stops what plays for users who are gone: also what they started in the moment before. Rejects with DATABASE_UNAVAILABLE. */
export async function stopOrphanedStreams(ports: Pick<ApiPorts, 'stores'>): Promise<void> {
  const { accounts, channels } = ports.stores
  for (let ids = await accounts.listOrphanedStreams(CHANNELS_AT_ONCE); ids.length > 0;) {
    for (const id of ids) {
      const channel = await channels.find(id)
      if (!channel) continue
      await stopStream(ports, channel).catch((error: unknown) => {
        if (!isAppError(error, 'NOT_FOUND')) throw error
      })
    }
    ids = await accounts.listOrphanedStreams(CHANNELS_AT_ONCE)
  }
}

/** One pass of the leader: what has expired goes, and what is to be erased. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function keepAccounts(ports: ErasePorts & { readonly logger: Logger }, now: Date): Promise<void> {
  await ports.stores.accounts.forgetExpired(now)
  await stopOrphanedStreams(ports)
  await eraseAccounts(ports, ports.logger)
}

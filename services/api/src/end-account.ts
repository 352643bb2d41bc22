import { isAppError } from '@skipcast/runtime'
import type { ApiPorts } from './ports.ts'
import { stopStream } from './switch-stream.ts'

const CHANNELS_AT_ONCE = 100

/**
 * Ends an account: nothing speaks for its user from now on, and their streams are stopped. Killed in between, the leader stops them. Rejects with CONFLICT for
 * the only administrator, DATABASE_UNAVAILABLE.
 */
export async function endAccount(ports: Pick<ApiPorts, 'stores'>, userId: string): Promise<void> {
  await ports.stores.accounts.deleteUser(userId)
  await stopOrphanedStreams(ports)
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

/** One pass of the leader: what has expired goes. Rejects with DATABASE_UNAVAILABLE; the next pass goes on. */
export async function keepAccounts(ports: Pick<ApiPorts, 'stores'>, now: Date): Promise<void> {
  await ports.stores.accounts.forgetExpired(now)
  await stopOrphanedStreams(ports)
}

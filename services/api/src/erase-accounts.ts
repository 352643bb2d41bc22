import { messageOf, type Logger } from '@skipcast/runtime'
import type { MediaFile } from '@skipcast/db'
import { forAllListed } from './for-all-listed.ts'
import type { ApiPorts } from './ports.ts'

const USERS_AT_ONCE = 100

/** What an erasure needs. */
export interface ErasePorts extends Pick<ApiPorts, 'stores'> {
  readonly mediaStore: Pick<ApiPorts['mediaStore'], 'remove'>
}

/**
 * One pass of the leader: nothing stays of users who asked for it. Their channels go with their commands, their pieces leave the playlists of others, and then they go
 * themselves. Killed anywhere in between, the next pass does what is left. Somebody who can't be erased (a request of theirs is just making something) holds up nobody.
 * Rejects with DATABASE_UNAVAILABLE.
 */
export async function eraseAccounts({ stores, mediaStore }: ErasePorts, logger: Logger): Promise<void> {
  const { erasure, channels, media } = stores
  const removeFiles = async (files: readonly MediaFile[]) => {
    for (const file of files) await media.removeFileIfUnused(file, () => mediaStore.remove(file))
  }
  for (const userId of await erasure.listDue(USERS_AT_ONCE)) {
    try {
      await forAllListed(
        (limit) => erasure.listChannels(userId, limit),
        async (id) => removeFiles(await channels.remove(id)),
      )
      await forAllListed(
        (limit) => erasure.listMedia(userId, limit),
        async (id) => removeFiles(await erasure.removePiece(id)),
      )
      await erasure.forget(userId)
      logger.info({ user: userId }, 'nothing is kept any more about a user who wished so')
    } catch (error) {
      logger.warn({ user: userId, problem: messageOf(error) }, 'a user can not be erased now; it is tried again')
    }
  }
}

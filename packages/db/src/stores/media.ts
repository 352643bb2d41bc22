import type { MediaJob } from '@skipcast/contracts'
import type { Database } from '../database.ts'
import { listMedia } from './media-list.ts'
import {
  commandChannels,
  createMedia,
  enqueueJob,
  forgetJobs,
  listNamed,
  lockContent,
  lockMedia,
  toMedia,
} from './media-writes.ts'
import { requireQuota } from './quotas.ts'
import type { ListRequest, Media, MediaChange, MediaFile, MediaFilter, MediaSort, NewMedia, Page, ToCommand } from './records.ts'

/**
 * The library. An uploaded file is shared by all media with the same content, so it is added and removed under a lock of its
 * hash: nobody removes a file that somebody is just adding. Every method may reject with DATABASE_UNAVAILABLE.
 */
export interface MediaStore {
  /**
   * Makes a piece, with the work that it needs, if any. With `defaultQuotaBytes` the size of its file must fit into what its owner may have: rejects with
   * QUOTA_EXCEEDED.
   */
  add(media: NewMedia, jobOf?: (media: Media) => MediaJob, defaultQuotaBytes?: number): Promise<Media>
  /**
   * The same for an upload: `confirmFile` sees to it that the file is where it belongs; then the record is made. Who has a piece of this content already, and not in the
   * trash, gets that one. Rejects with what `confirmFile` rejects with.
   */
  addUpload(
    media: NewMedia,
    jobOf: (media: Media) => MediaJob,
    confirmFile: () => Promise<void>,
  ): Promise<{ readonly media: Media; readonly isNew: boolean }>
  /** null also for one in the trash. */
  find(id: string): Promise<Media | null>
  /** Searches titles, artists and albums; the names of the files too, but for lists of public pieces, which others see. */
  list(filter: MediaFilter, request: ListRequest<MediaSort>): Promise<Page<Media>>
  /**
   * Changes a piece as `decide` says, who sees it as it is now, and asks for the work that `jobOf` makes of it then; running channels that play it get a
   * new command. Another cover is a newer wish than those in the making. Rejects with NOT_FOUND, or with what `decide` throws.
   */
  change(
    id: string,
    decide: (media: Media) => MediaChange,
    jobOf?: (media: Media, before: Media) => MediaJob | null,
  ): Promise<Media>
  /** Removes a piece that could not be imported and its record, for good; one that is ready stays. Resolves to whether it is gone. */
  removeFailed(id: string): Promise<boolean>
  /** Which of these files of one kind no piece names, and no channel. */
  listUnnamed(kind: MediaFile['kind'], hashes: readonly string[]): Promise<string[]>
  /** Calls `removeFile` if no piece and no channel has this file any more. */
  removeFileIfUnused(file: MediaFile, removeFile: () => Promise<void>): Promise<void>
}

/** What engines know of a piece. */
const HEARD: readonly (keyof MediaChange)[] = ['title', 'artist', 'cueInMs', 'cueOutMs']

export function mediaStore(database: Database, toCommand: ToCommand): MediaStore {
  return {
    add(media, jobOf, defaultQuotaBytes) {
      const { ownerId, fileSizeBytes } = media
      return database.transaction(async (session) => {
        if (defaultQuotaBytes !== undefined)
          await requireQuota(session, { ownerId, sizeBytes: fileSizeBytes ?? 0 }, defaultQuotaBytes)
        return createMedia(session, media, jobOf ?? null)
      })
    },

    addUpload(media, jobOf, confirmFile) {
      return database.transaction(async (session) => {
        await lockContent(session, media.originalSha256)
        const { ownerId, originalSha256 } = media
        const where = { ownerId, originalSha256, fileSha256: { not: null }, deletedAt: null, state: { not: 'failed' } } as const
        const same = await session.media.findFirst({ where, orderBy: { id: 'asc' } })
        if (same) return { media: await toMedia(session, same), isNew: false }
        await confirmFile()
        return { media: await createMedia(session, media, jobOf), isNew: true }
      })
    },

    find(id) {
      return database.run(async (client) => {
        const row = await client.media.findFirst({ where: { id, deletedAt: null } })
        return row && toMedia(client, row)
      })
    },

    list(filter, request) {
      return database.run((client) => listMedia(client, filter, request))
    },

    change(id, decide, jobOf = () => null) {
      return database.transaction(async (session) => {
        const { media, channelIds } = await lockMedia(session, id)
        const change = decide(media)
        const changed = await toMedia(session, await session.media.update({ where: { id }, data: change }))
        if ('coverSha256' in change) await forgetJobs(session, { mediaId: id }, 'make_cover')
        const job = jobOf(changed, media)
        if (job) await enqueueJob(session, job)
        if (HEARD.some((field) => field in change)) await commandChannels(session, channelIds, toCommand)
        return changed
      })
    },

    async removeFailed(id) {
      const { count } = await database.run((client) => client.media.deleteMany({ where: { id, state: 'failed' } }))
      return count > 0
    },

    async listUnnamed(kind, hashes) {
      const named = await database.run((client) => listNamed(client, kind, hashes))
      return hashes.filter((sha256) => !named.has(sha256))
    },

    removeFileIfUnused({ kind, sha256 }, removeFile) {
      return database.transaction(async (session) => {
        await lockContent(session, sha256)
        if ((await listNamed(session, kind, [sha256])).size === 0) await removeFile()
      })
    },
  }
}

import { AppError } from '@skipcast/runtime'
import type { Media, MediaStore } from '@skipcast/db'

/** Another process of ours may be the one that hears of it: so long after, it is looked up in any case. */
const LOOK_EVERY_MS = 500

/** Wakes who waits for news of a piece. */
export interface MediaNews {
  tell(mediaId: string): void
  /** Resolves when there may be news of it, or `stop` comes. */
  next(mediaId: string, stop: AbortSignal): Promise<void>
}

export function mediaNews(): MediaNews {
  const waiting = new Map<string, Set<() => void>>()
  return {
    tell(mediaId) {
      for (const wake of waiting.get(mediaId) ?? []) wake()
    },
    next(mediaId, stop) {
      return new Promise((resolve) => {
        const others = waiting.get(mediaId) ?? new Set()
        waiting.set(mediaId, others)
        const wake = () => {
          clearTimeout(timer)
          stop.removeEventListener('abort', wake)
          others.delete(wake)
          if (others.size === 0) waiting.delete(mediaId)
          resolve()
        }
        const timer = setTimeout(wake, LOOK_EVERY_MS)
        stop.addEventListener('abort', wake)
        others.add(wake)
        if (stop.aborted) wake()
      })
    },
  }
}

/** The piece once it is no longer processed, or as it is when `stop` comes. Rejects with NOT_FOUND when it was deleted meanwhile, DATABASE_UNAVAILABLE. */
export async function untilProcessed(
  { media: store, news }: { readonly media: Pick<MediaStore, 'find'>; readonly news: MediaNews },
  mediaId: string,
  stop: AbortSignal,
): Promise<Media> {
  for (;;) {
    const media = await store.find(mediaId)
    if (!media) throw new AppError('NOT_FOUND', 'There is no such media any more.')
    if (media.state !== 'processing' || stop.aborted) return media
    await news.next(mediaId, stop)
  }
}

import { mediaKinds, type MediaKey, type MediaStore } from '@skipcast/media-store'
import type { ApiPorts } from './ports.ts'

/** What was put since then may be about to get its name. */
const LEAST_AGE_MS = 24 * 3_600_000
/** So many objects are asked for at once, whether a piece names them. */
const BATCH = 500
/** A pass removes no more; the next one goes on. */
const MOST_REMOVED = 1000

export interface SweepPorts extends Pick<ApiPorts, 'stores'> {
  readonly mediaStore: Pick<MediaStore, 'list' | 'stat' | 'remove' | 'removeUnfinished'>
}

export interface Swept {
  readonly looked: number
  /** Or would be. */
  readonly removed: number
  readonly removedBytes: number
  /** Puts that were begun and never ended. */
  readonly unfinished: number
  /** Whether it looked at all there is; the next pass begins anew. */
  readonly isWhole: boolean
}

export interface SweepOptions {
  /** Ends the pass early. */
  readonly isOver?: () => boolean
  /** Only looks. */
  readonly isDry?: boolean
}

/**
 * One pass over all that is in the media store: what no piece names and is older than a day goes, under the lock of its content, so that nobody is just about to name
 * it. Whoever deletes a piece need not delete its files, and a crash between the two leaves nothing for ever.
 * Rejects with DATABASE_UNAVAILABLE or STORE_UNAVAILABLE; the next pass goes on.
 */
export async function sweepMedia(
  { stores, mediaStore }: SweepPorts,
  now: number,
  { isOver = () => false, isDry = false }: SweepOptions = {},
): Promise<Swept> {
  const before = new Date(now - LEAST_AGE_MS)
  const unfinished = isDry ? 0 : await mediaStore.removeUnfinished(before)
  const swept = { looked: 0, removed: 0, removedBytes: 0, unfinished }
  const isDone = () => isOver() || (!isDry && swept.removed >= MOST_REMOVED)
  const count = ({ sizeBytes }: { readonly sizeBytes: number }) => {
    swept.removed += 1
    swept.removedBytes += sizeBytes
  }

  const removeUnnamed = async (old: readonly (MediaKey & { readonly sizeBytes: number })[]) => {
    if (old.length === 0) return
    const { kind } = old[0]!
    const unnamed = new Set(
      await stores.media.listUnnamed(
        kind,
        old.map(({ sha256 }) => sha256),
      ),
    )
    for (const object of old) {
      if (!unnamed.has(object.sha256) || isDone()) continue
      if (isDry) {
        count(object)
        continue
      }
      await stores.media.removeFileIfUnused(object, async () => {
        const found = await mediaStore.stat(object)
        if (!found || found.storedAt >= before) return // put again just now
        await mediaStore.remove(object)
        count(object)
      })
    }
  }

  for (const kind of mediaKinds) {
    let old: (MediaKey & { readonly sizeBytes: number })[] = []
    for await (const { sha256, sizeBytes, storedAt } of mediaStore.list(kind)) {
      if (isDone()) break
      swept.looked += 1
      if (storedAt < before) old.push({ kind, sha256, sizeBytes })
      if (old.length < BATCH) continue
      await removeUnnamed(old)
      old = []
    }
    await removeUnnamed(old)
  }
  return { ...swept, isWhole: !isDone() }
}

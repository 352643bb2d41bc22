import { randomBytes } from 'node:crypto'
import { chmod, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { measureFile, type MediaStore } from '@skipcast/media-store'
import { AppError, pathIn } from '@skipcast/runtime'
import type { MediaCache } from '../ports.ts'

/** A file that is being fetched for so long was left behind by a process that died. */
const DRAFT_MS = 3_600_000
const FILE_NAME = /^([0-9a-f]{64})\.mp3$/

/** A cache in a directory that the engines' user may enter; its files are readable by all. `reserveBytes` of its disk are not filled with copies. `pathOf`: where a file
 * is, or would be. */
export function mediaCache(
  directory: string,
  store: Pick<MediaStore, 'fetchTo'>,
  room: { readonly reserveBytes: number },
): MediaCache & { pathOf(sha256: string): string } {
  const pathOf = (sha256: string) => pathIn(directory, `${sha256}.mp3`)
  const list = async () => new Set((await readdir(directory)).flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []))
  const sizes = async () =>
    Promise.all([...(await list())].map(async (sha256) => ({ sha256, stats: await stat(pathOf(sha256)) })))
  const underWay = new Map<string, Promise<void>>()

  const fetch = async (sha256: string) => {
    const draft = join(directory, `.${sha256}.${randomBytes(4).toString('hex')}`)
    try {
      await store.fetchTo({ kind: 'air', sha256 }, draft, room)
      if ((await measureFile(draft)).sha256 !== sha256) {
        throw new AppError('MEDIA_MISSING', `The stored file ${sha256.slice(0, 12)}… is damaged; upload the track again`)
      }
      await makeReadable(draft)
      await rename(draft, pathOf(sha256))
    } finally {
      await rm(draft, { force: true })
    }
  }

  return {
    pathOf,
    list,
    fetch(sha256) {
      const running = underWay.get(sha256) ?? fetch(sha256).finally(() => underWay.delete(sha256))
      underWay.set(sha256, running)
      return running
    },
    sizeBytes: async () => (await sizes()).reduce((sum, { stats }) => sum + stats.size, 0),
    async evict(wanted, { maxBytes, freeBytes }) {
      await removeOldDrafts(directory)
      const files = await sizes()
      let sizeBytes = files.reduce((sum, { stats }) => sum + stats.size, 0)
      for (const { sha256, stats } of files.sort((a, b) => a.stats.atimeMs - b.stats.atimeMs)) {
        if (sizeBytes <= maxBytes && (await hasFree(directory, freeBytes))) return
        if (wanted.has(sha256)) continue
        await rm(pathOf(sha256), { force: true })
        sizeBytes -= stats.size
      }
    },
  }
}

/** Engines run as another user. Only a copy can lack this: the store links to nothing that others can't read. */
async function makeReadable(file: string): Promise<void> {
  if (((await stat(file)).mode & 0o004) === 0) await chmod(file, 0o644)
}

async function hasFree(directory: string, bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize >= bytes
}

async function removeOldDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith('.')) continue
    const draft = join(directory, name)
    const stats = await stat(draft).catch(() => null)
    if (stats && Date.now() - stats.ctimeMs > DRAFT_MS) await rm(draft, { force: true })
  }
}

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, chown, copyFile, link, open, opendir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, pathIn, nullIfAbsent } from '@skipcast/runtime'
import { checkRoom, openFolder, syncFile } from '../files.ts'
import { checkedHash, mediaKinds, type MediaKey, type MediaKind, type MediaStore, type StoredObject } from '../media-store.ts'
import { isNoSpace, noSpace, orNoSpace } from '../no-space.ts'

const PREFIX = /^[0-9a-f]{2}$/
const OBJECT = /^([0-9a-f]{64})(\.mp3)?$/
const DRAFT = /^\.[0-9a-f]{64}\.[0-9a-f]{8}$/

/**
 * A folder of this machine or of a network file system: `<first two hex>/<sha256>.mp3` for what is sent, `<kind>/<first two hex>/<sha256>` for the rest, readable
 * for engines and converters (0644). Nothing is made before the first `put`: who only reads may lack the right to write.
 */
export function folderStore(directory: string): MediaStore {
  const folderOf = (kind: MediaKind) => (kind === 'air' ? directory : pathIn(directory, kind))
  const nameOf = (kind: MediaKind, sha256: string) => (kind === 'air' ? `${sha256}.mp3` : sha256)
  const placeOf = (key: MediaKey) => {
    const sha256 = checkedHash(key)
    return pathIn(folderOf(key.kind), sha256.slice(0, 2), nameOf(key.kind, sha256))
  }

  return {
    async put(key, path) {
      const place = placeOf(key)
      await openFolder(folderOf(key.kind)).catch(orNoSpace)
      await openFolder(dirname(place)).catch(orNoSpace)
      await makeOurs(path)
      await syncFile(path).catch(orNoSpace)
      await rename(path, place).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EXDEV') orNoSpace(error)
        await copyInto(place, path, key.sha256)
        await rm(path)
      })
      await rm(path, { force: true }) // two names of one file: then nothing was moved
      await syncFile(dirname(place))
    },

    async open(key, range) {
      const file = await open(placeOf(key), 'r').catch((cause: unknown) => refuse(key, cause))
      return file.createReadStream(range && { start: range.first, end: range.last })
    },

    async stat(key) {
      const stats = await stat(placeOf(key)).catch(nullIfAbsent)
      return stats && { ...key, sizeBytes: stats.size, storedAt: new Date(stats.mtimeMs) }
    },

    async fetchTo(key, path, { reserveBytes } = { reserveBytes: 0 }) {
      const place = placeOf(key)
      try {
        const { mode, size } = await stat(place)
        const copy = async () => {
          await checkRoom(path, size, reserveBytes)
          await copyFile(place, path, constants.COPYFILE_EXCL)
        }
        // A link has the mode of the file that it leads to, which is not the caller's to change.
        await ((mode & 0o004) !== 0 ? linkOr(copy, place, path) : copy())
      } catch (cause) {
        if (isNoSpace(cause)) throw new AppError('NO_SPACE', 'There is no space for another file on this server', { cause })
        refuse(key, cause)
      }
    },

    remove: (key) => rm(placeOf(key), { force: true }),

    async *list(kind) {
      for await (const { name, path } of filesOf(folderOf(kind))) {
        const sha256 = OBJECT.exec(name)?.[1]
        if (!sha256 || name !== nameOf(kind, sha256)) continue
        const stats = await stat(path).catch(nullIfAbsent)
        if (stats) yield { kind, sha256, sizeBytes: stats.size, storedAt: new Date(stats.mtimeMs) } satisfies StoredObject
      }
    },

    async removeUnfinished(before) {
      let removed = 0
      for (const kind of mediaKinds)
        for await (const { name, path } of filesOf(folderOf(kind))) {
          if (!DRAFT.test(name)) continue
          const stats = await stat(path).catch(nullIfAbsent)
          if (!stats || stats.ctime >= before) continue
          await rm(path, { force: true })
          removed += 1
        }
      return removed
    },
  }
}

/** What was made by the user that children run as is ours from now on, and none of them can change it. */
async function makeOurs(path: string): Promise<void> {
  const { uid } = await stat(path)
  await chmod(path, 0o644)
  if (uid !== process.getuid!()) await chown(path, process.getuid!(), process.getgid!())
  const now = new Date()
  await utimes(path, now, now)
}

/** From another disk: whole before it has its name. */
async function copyInto(place: string, path: string, sha256: string): Promise<void> {
  const draft = join(dirname(place), `.${sha256}.${randomBytes(4).toString('hex')}`)
  try {
    await copyFile(path, draft, constants.COPYFILE_EXCL)
    await syncFile(draft)
    await rename(draft, place)
  } catch (error) {
    await rm(draft, { force: true })
    throw isNoSpace(error) ? noSpace(error) : error
  }
}

function linkOr(copy: () => Promise<void>, place: string, path: string): Promise<void> {
  return link(place, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV' && error.code !== 'EPERM' && error.code !== 'EMLINK') throw error
    return copy()
  })
}

/** The files in the folders of two hex digits. */
async function* filesOf(folder: string): AsyncGenerator<{ name: string; path: string }> {
  for await (const prefix of entriesOf(folder)) {
    if (!PREFIX.test(prefix)) continue
    for await (const name of entriesOf(join(folder, prefix))) yield { name, path: join(folder, prefix, name) }
  }
}

async function* entriesOf(folder: string): AsyncGenerator<string> {
  const entries = await opendir(folder).catch(nullIfAbsent)
  if (entries) for await (const { name } of entries) yield name
}

function refuse({ sha256 }: MediaKey, cause: unknown): never {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
    throw new AppError('STORE_UNAVAILABLE', 'The media store can not be read now', { cause })
  throw new AppError('MEDIA_MISSING', `The media store has no file ${sha256.slice(0, 12)}…; upload it again`, { cause })
}

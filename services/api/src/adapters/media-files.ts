import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, chown, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { AppError, giveTo, makeDirectory, pathIn, type ChildUser } from '@skipcast/runtime'
import { orNoSpace } from './no-space.ts'
import type { IncomingFile, MediaFiles } from '../ports.ts'

/**
 * The media store as a folder: `<first two hex digits>/<sha256>.mp3`, readable for engines (0644), and
 * `incoming/<server>/` for what is being uploaded. All names are made here. What a killed process left there is removed when this begins.
 */
export async function mediaFiles(options: {
  path: string
  /** Several API processes may share the folder; each clears up after itself alone. */
  serverId: string
  user: ChildUser | undefined
}): Promise<MediaFiles> {
  const root = resolve(options.path)
  await openFolder(root)
  await openFolder(join(root, 'incoming'))
  const incoming = await makeDirectory(pathIn(root, 'incoming', options.serverId), { owner: options.user })
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { recursive: true, force: true })

  const placeOf = (sha256: string) => pathIn(root, sha256.slice(0, 2), `${sha256}.mp3`)
  return {
    receive() {
      const id = randomUUID()
      return incomingFile(pathIn(incoming, id), pathIn(incoming, `${id}.air`), options.user)
    },

    async measure(path) {
      const hash = createHash('sha256')
      await pipeline(createReadStream(path), hash)
      return { sha256: hash.digest('hex'), sizeBytes: (await stat(path)).size }
    },

    async keep(path, sha256) {
      const place = placeOf(sha256)
      await openFolder(dirname(place)).catch(orNoSpace)
      await chmod(path, 0o644)
      // Made by the user that children run as; from now on it is ours, and none of them can change it.
      if (options.user) await chown(path, process.getuid!(), process.getgid!())
      await sync(path).catch(orNoSpace)
      await rename(path, place).catch(orNoSpace)
      await sync(dirname(place))
    },

    async remove(sha256) {
      await rm(placeOf(sha256), { force: true })
    },
  }
}

function incomingFile(path: string, airPath: string, user: ChildUser | undefined): IncomingFile {
  return {
    path,
    airPath,
    async write(bytes, maxBytes) {
      const hash = createHash('sha256')
      let size = 0
      const measured = async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          size += chunk.length
          if (size > maxBytes) throw new AppError('TOO_LARGE', `A file may have up to ${maxBytes} bytes.`)
          hash.update(chunk)
          yield chunk
        }
      }
      // The file is there before anything can fail: one that is opened meanwhile would come after its removal, and stay.
      const file = await open(path, 'wx', 0o600).catch(orNoSpace)
      await pipeline(bytes, measured, file.createWriteStream()).catch(orNoSpace)
      giveTo(user, path)
      return { sha256: hash.digest('hex') }
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true })
      await rm(airPath, { force: true })
    },
  }
}

/** Makes a folder that everybody may look into, whatever the umask. */
async function openFolder(path: string): Promise<void> {
  if (await mkdir(path, { recursive: true })) await chmod(path, 0o755)
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

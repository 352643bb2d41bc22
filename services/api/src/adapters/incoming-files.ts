import { createHash, randomUUID } from 'node:crypto'
import { open, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openFolder, orNoSpace } from '@skipcast/media-store'
import { AppError, makeDirectory, pathIn } from '@skipcast/runtime'
import type { IncomingFile, IncomingFiles } from '../ports.ts'

/**
 * The folder `incoming/<server>/` for what is being uploaded, beside the stored files where these are on this machine. All names are made here. What a killed
 * process left there is removed when this begins.
 */
export async function incomingFiles(options: {
  path: string
  /** Several API processes may share the folder; each clears up after itself alone. */
  serverId: string
}): Promise<IncomingFiles> {
  const root = resolve(options.path)
  await openFolder(root)
  await openFolder(join(root, 'incoming'))
  const incoming = await makeDirectory(pathIn(root, 'incoming', options.serverId))
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { recursive: true, force: true })

  return {
    receive() {
      const id = randomUUID()
      return incomingFile(pathIn(incoming, id))
    },
  }
}

function incomingFile(path: string): IncomingFile {
  return {
    path,
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
      return { sha256: hash.digest('hex'), sizeBytes: size }
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true })
    },
  }
}

import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { MediaStore } from '@skipcast/media-store'
import { makeDirectory } from '@skipcast/runtime'
import type { MediaCache } from '../../ports.ts'
import { granted } from './granted.ts'
import { putFile } from './put-file.ts'
import type { SshLink } from './ssh-link.ts'

/** What is on the machine is asked for again after so long: nobody but us writes there. */
const LOOK_AGAIN_MS = 60_000
/** A file that takes longer is told of while it goes. */
const TELL_EVERY_MS = 5000

export interface SshMediaCacheOptions {
  readonly link: SshLink
  readonly store: Pick<MediaStore, 'fetchTo'>
  /** On this machine: files are here while they are sent. Emptied at the beginning. */
  readonly directory: string
  readonly reserveBytes: number
  readonly tell: {
    mediaMoving(sha256: string, arrivedBytes: number, sizeBytes: number): void
    mediaSent(sha256: string, sizeBytes: number, tookMs: number): void
  }
}

interface Content {
  readonly freeBytes: number
  readonly files: readonly { readonly sha256: string; readonly sizeBytes: number; readonly usedAt: number }[]
}

/** The files on a machine at the other end of a link. Each is sent whole, and is not there before its hash was found right. */
export async function sshMediaCache(options: SshMediaCacheOptions): Promise<MediaCache> {
  const { link, store, tell } = options
  await rm(options.directory, { recursive: true, force: true })
  const drafts = await makeDirectory(options.directory)
  const underWay = new Map<string, Promise<void>>()
  let known: { hashes: Set<string>; at: number } | null = null

  const look = async (): Promise<Content> => {
    const content = parseContent((await granted(link, 'have', [])).toString('latin1'))
    known = { hashes: new Set(content.files.map(({ sha256 }) => sha256)), at: performance.now() }
    return content
  }
  const fetch = async (sha256: string) => {
    const draft = join(drafts, `${sha256}.${randomBytes(4).toString('hex')}`)
    const startedAt = performance.now()
    let toldAt = startedAt
    try {
      link.root() // no copy is made for a machine that can't be reached
      await store.fetchTo({ kind: 'air', sha256 }, draft, options)
      const sizeBytes = (await stat(draft)).size
      const file = { kind: 'media' as const, sha256, sizeBytes, reserveBytes: options.reserveBytes }
      await putFile(link, { ...file, content: createReadStream(draft) }, (arrivedBytes) => {
        if (performance.now() - toldAt < TELL_EVERY_MS) return
        toldAt = performance.now()
        tell.mediaMoving(sha256, arrivedBytes, sizeBytes)
      })
      known?.hashes.add(sha256)
      tell.mediaSent(sha256, sizeBytes, Math.round(performance.now() - startedAt))
    } finally {
      await rm(draft, { force: true })
    }
  }

  return {
    async list() {
      if (known === null || performance.now() - known.at > LOOK_AGAIN_MS) await look()
      return new Set(known!.hashes)
    },
    fetch(sha256) {
      const running = underWay.get(sha256) ?? fetch(sha256).finally(() => underWay.delete(sha256))
      underWay.set(sha256, running)
      return running
    },
    sizeBytes: async () => (await look()).files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    async evict(wanted, { maxBytes, freeBytes }) {
      const content = await look()
      let sizeBytes = content.files.reduce((sum, file) => sum + file.sizeBytes, 0)
      let free = content.freeBytes
      for (const file of content.files.toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (sizeBytes <= maxBytes && free >= freeBytes) return
        if (wanted.has(file.sha256)) continue
        await granted(link, 'evict', [file.sha256])
        known?.hashes.delete(file.sha256)
        sizeBytes -= file.sizeBytes
        free += file.sizeBytes
      }
    },
  }
}

/** A line `free BYTES`, then a line `HASH BYTES ACCESS-TIME` for each file. */
function parseContent(text: string): Content {
  const [first = '', ...lines] = text.split('\n')
  const files = lines.flatMap((line) => {
    const [sha256, size, usedAt] = line.split(' ')
    return sha256 && size && usedAt ? [{ sha256, sizeBytes: Number(size), usedAt: Number(usedAt) }] : []
  })
  return { freeBytes: Number(first.split(' ')[1]) || 0, files }
}

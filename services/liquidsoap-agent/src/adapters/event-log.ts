import { open, rename, rm } from 'node:fs/promises'
import { readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import { parseEngineEvent, type EngineEvent } from '../domain/engine-event.ts'
import type { EngineFiles } from './engine-files.ts'

/** Most that is read at once. A longer line than this is no event of ours. */
const READ_BYTES = 64 * 1024
/** A file that was read to its end and is longer than this is begun anew. */
const ROTATE_BYTES = 1024 * 1024

/** The events of one engine, read once each, across restarts of the reader. */
export interface EventLog {
  /** The oldest events that were not acknowledged. */
  read(): Promise<readonly EngineEvent[]>
  /** Saves that events up to `seq` were taken over. */
  acknowledge(seq: number): Promise<void>
}

/**
 * Follows an events file. The cursor on disk is the last acknowledged `seq`; where that stands in the file is found again by reading.
 * A long file is renamed and the engine asked to go on in a new one (`reopen`, which rejects while it does not answer); the
 * old one is read to its end before it goes. A reader that dies in between finds the old file and does the rest.
 */
export function eventLog(files: Pick<EngineFiles, 'events' | 'rotatedEvents' | 'cursor'>, reopen: () => Promise<void>): EventLog {
  let acknowledged: number | undefined
  let rotation: 'none' | 'renamed' | 'reopened' | undefined
  let offset = 0

  const begin = async () => {
    if (rotation !== undefined) return
    acknowledged = Number((await readFileIfThere(files.cursor)) ?? 0) || 0
    rotation = (await exists(files.rotatedEvents)) ? 'renamed' : 'none'
  }

  const read = async (): Promise<readonly EngineEvent[]> => {
    await begin()
    if (rotation === 'renamed') {
      await reopen()
      rotation = 'reopened'
    }
    const bytes = await readPart(rotation === 'reopened' ? files.rotatedEvents : files.events, offset)
    const end = bytes.lastIndexOf(0x0a) + 1
    if (end === 0 && bytes.length < READ_BYTES) {
      if (rotation === 'none') return []
      await rm(files.rotatedEvents, { force: true })
      rotation = 'none'
      offset = 0
      return read()
    }
    const used = end || bytes.length
    const lines = bytes.subarray(0, used).toString('utf8').split('\n')
    const news = lines.flatMap((text) => parseEngineEvent(text) ?? []).filter(({ seq }) => seq > acknowledged!)
    if (news.length > 0) return news
    offset += used
    return read()
  }

  return {
    read,
    async acknowledge(seq) {
      await begin()
      acknowledged = seq
      await writeFileAtomic(files.cursor, String(seq))
      const remaining = await read()
      if (remaining.length > 0 || rotation !== 'none' || offset < ROTATE_BYTES) return
      await rename(files.events, files.rotatedEvents)
      rotation = 'renamed'
      // The offset stays: it is the same file.
    },
  }
}

async function readPart(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!file) return Buffer.alloc(0)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return (await readFileIfThere(path)) !== null
}

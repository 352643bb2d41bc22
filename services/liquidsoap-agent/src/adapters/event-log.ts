import { parseEngineEvent, type EngineEvent } from '../domain/engine-event.ts'

/** Most that is read at once. A longer line than this is no event of ours. */
export const EVENTS_AT_ONCE_BYTES = 64 * 1024
/** A file that was read to its end and is longer than this is begun anew. */
const ROTATE_BYTES = 1024 * 1024

/** The events of one engine, read once each, across restarts of the reader. */
export interface EventLog {
  /** The oldest events that were not acknowledged. */
  read(): Promise<readonly EngineEvent[]>
  /** Saves that events up to `seq` were taken over. */
  acknowledge(seq: number): Promise<void>
}

/** What stands on the disk of the engine's machine: its events, an older file of them after a renaming, and how far they were taken over. */
export interface EventFiles {
  /** The last acknowledged `seq` (0: none), and whether there is an older file. */
  state(): Promise<{ acknowledged: number; hasOld: boolean }>
  /** Up to EVENTS_AT_ONCE_BYTES from there on; empty where there is nothing (yet). */
  read(file: 'new' | 'old', offset: number): Promise<Buffer>
  acknowledge(seq: number): Promise<void>
  /** The events file becomes the older one. */
  rename(): Promise<void>
  removeOld(): Promise<void>
}

/**
 * Follows an events file. The cursor on disk is the last acknowledged `seq`; where that stands in the file is found again by reading.
 * A long file is renamed and the engine asked to go on in a new one (`reopen`, which rejects while it does not answer); the
 * old one is read to its end before it goes. A reader that dies in between finds the old file and does the rest.
 */
export function eventLog(files: EventFiles, reopen: () => Promise<void>): EventLog {
  let acknowledged: number | undefined
  let rotation: 'none' | 'renamed' | 'reopened' | undefined
  let offset = 0

  const begin = async () => {
    if (rotation !== undefined) return
    const state = await files.state()
    acknowledged = state.acknowledged
    rotation = state.hasOld ? 'renamed' : 'none'
  }

  const read = async (): Promise<readonly EngineEvent[]> => {
    await begin()
    if (rotation === 'renamed') {
      await reopen()
      rotation = 'reopened'
    }
    const bytes = await files.read(rotation === 'reopened' ? 'old' : 'new', offset)
    const end = bytes.lastIndexOf(0x0a) + 1
    if (end === 0 && bytes.length < EVENTS_AT_ONCE_BYTES) {
      if (rotation === 'none') return []
      await files.removeOld()
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
      await files.acknowledge(seq)
      const remaining = await read()
      if (remaining.length > 0 || rotation !== 'none' || offset < ROTATE_BYTES) return
      await files.rename()
      rotation = 'renamed'
      // The offset stays: it is the same file.
    },
  }
}

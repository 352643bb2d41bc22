import { open, rename, rm } from 'node:fs/promises'
import { nullIfAbsent, readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import type { EngineFiles } from './engine-files.ts'
import { EVENTS_AT_ONCE_BYTES, type EventFiles } from './event-log.ts'

/** The events of an engine of this machine. */
export function localEventFiles(files: Pick<EngineFiles, 'events' | 'rotatedEvents' | 'cursor'>): EventFiles {
  return {
    async state() {
      const acknowledged = Number((await readFileIfThere(files.cursor)) ?? 0) || 0
      return { acknowledged, hasOld: (await readFileIfThere(files.rotatedEvents)) !== null }
    },
    read: (file, offset) => readPart(file === 'old' ? files.rotatedEvents : files.events, offset),
    acknowledge: (seq) => writeFileAtomic(files.cursor, String(seq)),
    rename: () => rename(files.events, files.rotatedEvents),
    removeOld: () => rm(files.rotatedEvents, { force: true }),
  }
}

async function readPart(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(nullIfAbsent)
  if (!file) return Buffer.alloc(0)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(EVENTS_AT_ONCE_BYTES), 0, EVENTS_AT_ONCE_BYTES, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

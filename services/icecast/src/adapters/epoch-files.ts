import { pathIn, readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import type { EpochStore } from '../ports.ts'

/** One small file per channel, named by its id, so that raising one epoch costs the same however many channels there are. */
export function epochFiles(directory: string): EpochStore {
  const known = new Map<string, number | null>()

  async function highest(channelId: string): Promise<number | null> {
    const remembered = known.get(channelId)
    if (remembered !== undefined) return remembered
    const text = await readFileIfThere(pathIn(directory, channelId))
    if (text !== null && !/^\d{1,15}\n$/.test(text)) throw new Error(`${pathIn(directory, channelId)} holds no epoch`)
    const epoch = text === null ? null : Number(text)
    known.set(channelId, epoch)
    return epoch
  }

  return {
    highest,
    async raise(channelId, epoch) {
      const before = await highest(channelId)
      if (before !== null && before >= epoch) return
      await writeFileAtomic(pathIn(directory, channelId), `${epoch}\n`)
      known.set(channelId, epoch)
    },
  }
}

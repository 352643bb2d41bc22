import { pathIn, readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import { readMount } from '../domain/mounts.ts'
import type { EpochStore } from '../ports.ts'

/**
 * One small file per channel and mount, so that raising one epoch costs the same however many channels there are. It is named by the channel's id
 * (`<id>`, and `<id>.w` for its second mount), not by its mount: an epoch outlives a change of the channel's name.
 */
export function epochFiles(directory: string): EpochStore {
  const known = new Map<string, number | null>()

  const fileOf = (channelId: string, mount: string) => {
    if (channelId.includes('.')) throw new RangeError('not the id of a channel')
    return pathIn(directory, readMount(mount)?.channelMount === mount ? channelId : `${channelId}.w`)
  }
  async function read(file: string): Promise<number | null> {
    const remembered = known.get(file)
    if (remembered !== undefined) return remembered
    const text = await readFileIfThere(file)
    if (text !== null && !/^\d{1,15}\n$/.test(text)) throw new Error(`${file} holds no epoch`)
    const epoch = text === null ? null : Number(text)
    known.set(file, epoch)
    return epoch
  }

  return {
    highest: async (channelId, mount) => read(fileOf(channelId, mount)),
    async raise(channelId, mount, epoch) {
      const file = fileOf(channelId, mount)
      const before = await read(file)
      if (before !== null && before >= epoch) return
      await writeFileAtomic(file, `${epoch}\n`)
      known.set(file, epoch)
    },
  }
}

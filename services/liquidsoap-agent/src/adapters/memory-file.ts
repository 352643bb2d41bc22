import { nowPlaying, streamError, phase } from '@skipcast/contracts'
import { readFileIfThere, writeFileAtomic } from '@skipcast/runtime'
import { z } from 'zod'
import type { Memory } from '../ports.ts'

const memo = z.object({
  slug: z.string(),
  epoch: z.int(),
  generation: z.int(),
  phase,
  since: z.int(),
  error: streamError.nullable(),
  startedRecord: z.string().nullable(),
  isStandby: z.boolean().default(false),
  movedEpoch: z.int().nullable().default(null),
  playing: nowPlaying.nullable().default(null),
  lastPlay: z
    .object({ playId: z.string(), mediaId: z.string(), epoch: z.int().default(-1), sentAt: z.int().nullable().default(null) })
    .nullable()
    .default(null),
})

/** What was told of each channel, kept in one file. A file that can't be read counts as none: the channels are told anew. */
export async function memoryFile(path: string): Promise<Memory> {
  const memos = new Map(Object.entries(parse(await readFileIfThere(path))))
  return {
    memos,
    save: () => writeFileAtomic(path, JSON.stringify(Object.fromEntries(memos))),
  }
}

function parse(text: string | null): Record<string, z.infer<typeof memo>> {
  try {
    return z.record(z.string(), memo).parse(JSON.parse(text ?? '{}'))
  } catch {
    return {}
  }
}

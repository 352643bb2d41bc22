import { z } from 'zod'

/** Who was let in to feed a mount, as the role icecast told in its log. */
export interface Admission {
  readonly mount: string
  readonly channelId: string
  readonly epoch: number
}

const admission = z.object({
  msg: z.literal('source let in'),
  mount: z.string(),
  channelId: z.string(),
  epoch: z.number(),
})

/** The engines that were let in, in order. */
export function admissions(log: string): Admission[] {
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"source let in"')) return []
    const parsed = admission.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  })
}

/** Those who were let in after a newer epoch of the same channel and mount: two programmes would fight for it. */
export function doublePublishers(all: readonly Admission[]): string[] {
  const highest = new Map<string, number>()
  return all.flatMap(({ mount, channelId, epoch }) => {
    const key = `${channelId} ${mount}`
    const known = highest.get(key) ?? 0
    highest.set(key, Math.max(known, epoch))
    return epoch < known ? [`epoch ${epoch} of ${mount} after ${known}`] : []
  })
}

import { statusOf } from './role.ts'

/** Somebody new every 50 ms; the returned function ends that and counts the answers. */
export function newcomers(url: string): () => Promise<Record<number, number>> {
  const asked: Promise<number>[] = []
  const timer = setInterval(() => asked.push(statusOf(url)), 50)
  return async () => {
    clearInterval(timer)
    const counts: Record<number, number> = {}
    for (const status of await Promise.all(asked)) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }
}

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Linux counts the time of a process in hundredths of a second for whoever reads /proc. */
const TICKS_PER_SECOND = 100

/** What some processes took of the machine, together. */
export interface Cost {
  /** Percent of one core. */
  readonly cpuPercent: number
  /** Proportional set size: what is shared counts once, divided among those that share it. In MB. */
  readonly pssMb: number
}

/** Measures living processes for so long. Processes that are gone at its end count for nothing. */
export async function costOf(pids: readonly number[], forMs: number): Promise<Cost> {
  const startedAt = performance.now()
  const before = await Promise.all(pids.map(ticksOf))
  await sleep(forMs)
  const after = await Promise.all(pids.map(ticksOf))
  const seconds = (performance.now() - startedAt) / 1000
  const ticks = after.reduce((sum, now, index) => sum + Math.max(0, now - before[index]!), 0)
  const sizes = await Promise.all(pids.map(pssKbOf))
  return {
    cpuPercent: (ticks / TICKS_PER_SECOND / seconds) * 100,
    pssMb: sizes.reduce((sum, kb) => sum + kb, 0) / 1024,
  }
}

/** These processes and all that they started and still have: PostgreSQL has one for each connection. */
export async function withDescendants(pids: readonly number[]): Promise<number[]> {
  const all = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)
  const parents = await Promise.all(all.map(async (pid) => Number((await fieldsOf(pid))[1])))
  const found = new Set(pids)
  for (let size = 0; size !== found.size;) {
    size = found.size
    for (const [index, pid] of all.entries()) if (found.has(parents[index]!)) found.add(pid)
  }
  return [...found]
}

/** The processes that this one started and that still live. */
export async function childrenOf(pid: number): Promise<number[]> {
  const all = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)
  const parents = await Promise.all(all.map(async (other) => Number((await fieldsOf(other))[1])))
  return all.filter((_, index) => parents[index] === pid)
}

/** What a process has taken of processors since it began. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  return (await ticksOf(pid)) / TICKS_PER_SECOND
}

async function ticksOf(pid: number): Promise<number> {
  const fields = await fieldsOf(pid)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** Of /proc/<pid>/stat, from the state on; none when the process is gone. */
async function fieldsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The program's name stands in brackets and can hold anything.
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Only its owner and root may read this of a process. */
async function pssKbOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
}

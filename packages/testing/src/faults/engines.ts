import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findDaemon } from '@skipcast/runtime'

export interface RunningEngine {
  readonly pid: number
  /** The ids of the channels that it was given; none: it is kept ready. */
  readonly channelIds: readonly string[]
}

/** The engines of a home that run now, as its agent's directory tells. */
export async function enginesOf(home: string): Promise<RunningEngine[]> {
  const directory = join(home, 'agent', 'engines')
  const engines = await Promise.all(
    (await readdir(directory)).map(async (id) => {
      const process = await findDaemon(join(directory, id, 'identity.json'))
      const plans = await readdir(join(directory, id, 'plans')).catch(() => [])
      return { pid: process?.pid, channelIds: plans.flatMap((name) => /^(.+)\.json$/.exec(name)?.[1] ?? []) }
    }),
  )
  return engines.flatMap(({ pid, channelIds }) => (pid === undefined ? [] : [{ pid, channelIds }]))
}

import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, makeDirectory, pathIn, type ChildUser } from '@skipcast/runtime'

/**
 * What one engine keeps on disk. Only `run/` is the engine's own to write; what the agent trusts stands outside of it.
 *
 *   <engine id>/identity.json   pid and start time
 *               cursor.json     which events were taken over
 *               plans/<channel id>.json
 *               run/            control.sock  events.jsonl  engine.log  output.log
 */
export interface EngineFiles {
  readonly directory: string
  readonly identity: string
  readonly cursor: string
  readonly plans: string
  readonly run: string
  readonly socket: string
  readonly events: string
  readonly rotatedEvents: string
  readonly output: string
  readonly logs: readonly string[]
}

export function engineFiles(root: string, engineId: string): EngineFiles {
  const directory = pathIn(root, engineId)
  const run = join(directory, 'run')
  const output = join(run, 'output.log')
  return {
    directory,
    identity: join(directory, 'identity.json'),
    cursor: join(directory, 'cursor.json'),
    plans: join(directory, 'plans'),
    run,
    socket: join(run, 'control.sock'),
    events: join(run, 'events.jsonl'),
    rotatedEvents: join(run, 'events.old.jsonl'),
    output,
    logs: [join(run, 'engine.log'), output],
  }
}

/** Makes the directories of a new engine. */
export async function makeEngineDirectories(files: EngineFiles, owner: ChildUser | undefined): Promise<void> {
  await mkdir(files.directory, { mode: 0o711 })
  await mkdir(files.plans, { mode: 0o711 })
  await makeDirectory(files.run, { owner })
}

/** Empties the logs that have grown beyond `maxBytes`; their writers append, so they go on at the beginning. Links are not followed. */
export async function trimLogs(files: EngineFiles, maxBytes: number): Promise<void> {
  for (const path of files.logs) {
    const log = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW).catch(() => null)
    if (!log) continue
    try {
      if ((await log.stat()).size > maxBytes) await log.truncate()
    } finally {
      await log.close()
    }
  }
}

/** Where a channel's plan stands. Throws ENGINE_REFUSED for an id that is no plain name. */
export function planFile(files: EngineFiles, channelId: string): string {
  try {
    return pathIn(files.plans, `${channelId}.json`)
  } catch (cause) {
    throw new AppError('ENGINE_REFUSED', 'The channel id is no plain name', { cause })
  }
}

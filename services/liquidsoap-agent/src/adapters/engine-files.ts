import { constants } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, makeDirectory, pathIn, readFileIfThere, writeFileAtomic, type ChildUser } from '@skipcast/runtime'
import { z } from 'zod'
import type { ChannelRecord } from '../domain/engine.ts'
import { parseJson, parseRecord } from '../domain/engine-event.ts'
import type { WantedStream } from '../domain/wanted.ts'
import { mixOf } from './hub-command.ts'
import { songText } from './icecast-text.ts'

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

const planHead = z.object({ data: z.string() })

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

/** Writes what a channel shall play, for the engine to read, and returns the path. */
export async function writePlan(
  files: EngineFiles,
  { record, command, tracks }: WantedStream,
  options: { pathOf: (sha256: string) => string; owner: ChildUser | undefined },
): Promise<string> {
  const path = planFile(files, record.channelId)
  const plan = {
    data: JSON.stringify(record),
    tracks: tracks.map((track) => ({
      id: track.media_id,
      path: options.pathOf(track.sha256),
      title: songText(track.title),
      artist: songText(track.artist),
      ...mixOf(track, command),
    })),
  }
  await writeFileAtomic(path, JSON.stringify(plan), { owner: options.owner })
  return path
}

export async function removePlan(files: EngineFiles, channelId: string): Promise<void> {
  await rm(planFile(files, channelId), { force: true })
}

/** The channels that an engine was given, by its plans: what there is to know of one that does not answer. */
export async function plannedRecords(files: EngineFiles): Promise<ChannelRecord[]> {
  const names = await readdir(files.plans).catch(() => [])
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readFileIfThere(join(files.plans, name))),
  )
  return texts.flatMap((text) => {
    const plan = planHead.safeParse(parseJson(text ?? ''))
    return plan.success ? (parseRecord(plan.data.data) ?? []) : []
  })
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

function planFile(files: EngineFiles, channelId: string): string {
  try {
    return pathIn(files.plans, `${channelId}.json`)
  } catch (cause) {
    throw new AppError('ENGINE_REFUSED', 'The channel id is no plain name', { cause })
  }
}

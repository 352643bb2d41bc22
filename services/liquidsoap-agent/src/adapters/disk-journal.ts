import { appendFile, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bus } from '@skipcast/bus'
import type { StreamEvent } from '@skipcast/contracts'
import { isAppError, readFileIfThere, startLoop, writeFileAtomic } from '@skipcast/runtime'
import type { Journal } from '../ports.ts'
import type { Telemetry } from '../telemetry.ts'

const SEGMENT_BYTES = 1024 * 1024
/** A bus that is away for so long costs the oldest events: 256 MB of disk is the limit. */
const MAX_SEGMENTS = 256
const READ_BYTES = 64 * 1024
const RETRY_MS = 1000
/** Longest wait at closing for a bus to take what is left. */
const FLUSH_MS = 2000

interface Cursor {
  readonly segment: number
  readonly offset: number
}

/**
 * Events are appended to numbered segment files and published from there, in order, at least once: the cursor is saved after the bus
 * has taken them. A segment that was published whole is removed. A crash at any moment leaves events that are published again,
 * under the same ids.
 */
export async function diskJournal(directory: string, bus: Pick<Bus, 'publish'>, tell: Telemetry): Promise<Journal> {
  const cursorFile = join(directory, 'cursor.json')
  const pathOf = (segment: number) => join(directory, `${segment}.jsonl`)
  const segments = async () =>
    (await readdir(directory))
      .flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)

  let cursor = parseCursor(await readFileIfThere(cursorFile))
  // Never go on in a segment of another process: its last line may be torn.
  let writing = Math.max(cursor.segment, ((await segments()).at(-1) ?? 0) + 1)
  let written = 0
  let appending: Promise<void> = Promise.resolve()

  const append = async (events: readonly StreamEvent[]) => {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('')
    await appendFile(pathOf(writing), text, { mode: 0o600 }).catch((error: unknown) => {
      writing += 1 // a full disk tears the last line: nothing may be joined to it
      written = 0
      throw error
    })
    written += Buffer.byteLength(text)
    if (written < SEGMENT_BYTES) return
    writing += 1
    written = 0
    const old = (await segments()).slice(0, -MAX_SEGMENTS)
    for (const segment of old) await rm(pathOf(segment), { force: true })
    if (old.length > 0) tell.eventsDropped(old.length, new Error(`more than ${MAX_SEGMENTS} segments wait`))
  }

  const publishAll = async () => {
    for (const segment of await segments()) {
      if (segment < cursor.segment) await rm(pathOf(segment), { force: true })
      else await publishSegment(segment)
    }
  }

  const publishSegment = async (segment: number) => {
    if (segment > cursor.segment) cursor = { segment, offset: 0 }
    for (;;) {
      const { events, end } = await readEvents(pathOf(segment), cursor.offset)
      if (end === cursor.offset) break
      await publish(events)
      cursor = { segment, offset: end }
      await writeFileAtomic(cursorFile, JSON.stringify(cursor))
    }
    if (segment < writing) await rm(pathOf(segment), { force: true })
  }

  const publish = async (events: readonly StreamEvent[]) => {
    const records = events.map((value) => ({ key: value.channel_id, value }))
    try {
      await bus.publish('streamEvents', records)
    } catch (error) {
      if (!isAppError(error, 'MESSAGE_INVALID')) throw error
      if (records.length === 1) return tell.eventsDropped(1, error)
      for (const event of events) await publish([event]) // one bad event holds up no other
    }
  }

  const loop = startLoop(publishAll, { everyMs: RETRY_MS, onError: (error) => tell.busAway('events', error) })
  return {
    append(events) {
      if (events.length === 0) return appending
      const result = appending.then(() => append(events)).then(() => loop.nudge())
      appending = result.catch(() => {})
      return result
    },
    async [Symbol.asyncDispose]() {
      await appending
      loop.nudge()
      await Promise.race([loop[Symbol.asyncDispose](), new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref())])
    },
  }
}

function parseCursor(text: string | null): Cursor {
  try {
    const { segment, offset } = JSON.parse(text ?? '') as Cursor
    return Number.isInteger(segment) && Number.isInteger(offset) ? { segment, offset } : { segment: 0, offset: 0 }
  } catch {
    return { segment: 0, offset: 0 }
  }
}

/** The events of the whole lines that stand after `offset`; lines that a crash tore are passed over. */
async function readEvents(path: string, offset: number): Promise<{ events: StreamEvent[]; end: number }> {
  const file = await open(path, 'r')
  try {
    const available = Math.max(0, (await stat(path)).size - offset)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(READ_BYTES, available)), 0, null, offset)
    const used = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
    const lines = buffer.subarray(0, used).toString('utf8').split('\n')
    return { events: lines.flatMap(parseEvent), end: offset + used }
  } finally {
    await file.close()
  }
}

function parseEvent(line: string): StreamEvent[] {
  try {
    return [JSON.parse(line) as StreamEvent]
  } catch {
    return []
  }
}

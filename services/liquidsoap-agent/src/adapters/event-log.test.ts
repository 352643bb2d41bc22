import { appendFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { eventLog } from './event-log.ts'
import { localEventFiles } from './local-event-files.ts'

let directory: string
let files: { events: string; rotatedEvents: string; cursor: string }
let reopened: number

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-events-'))
  files = {
    events: join(directory, 'events.jsonl'),
    rotatedEvents: join(directory, 'events.old.jsonl'),
    cursor: join(directory, 'cursor'),
  }
  reopened = 0
})
afterEach(() => rm(directory, { recursive: true }))

const open = () =>
  eventLog(localEventFiles(files), async () => {
    reopened += 1
  })
const line = (seq: number, detail = '') =>
  `${JSON.stringify({ seq, at: 1, event: 'added', id: 'c1', data: '', track: '', title: '', artist: '', detail })}\n`
const seqs = async (log: ReturnType<typeof open>) => (await log.read()).map(({ seq }) => seq)

describe('an event log', () => {
  test('of an engine that wrote nothing yet is empty', async () => {
    expect(await open().read()).toEqual([])
  })

  test('gives each event until it is acknowledged, and then never again, also to the next reader', async () => {
    await writeFile(files.events, line(1) + line(2))
    const log = open()
    expect(await seqs(log)).toEqual([1, 2])
    expect(await seqs(log)).toEqual([1, 2])
    await log.acknowledge(1)
    expect(await seqs(log)).toEqual([2])
    await appendFile(files.events, line(3))
    expect(await seqs(open())).toEqual([2, 3])
  })

  test('waits for the rest of a line, and passes over a torn one', async () => {
    await writeFile(files.events, line(1) + line(2).slice(0, 20))
    const log = open()
    expect(await seqs(log)).toEqual([1])
    await log.acknowledge(1)
    await appendFile(files.events, `\n${line(3)}`)
    expect(await seqs(log)).toEqual([3])
  })

  test('that grew long is begun anew, without losing what was written meanwhile', async () => {
    const long = Array.from({ length: 120 }, (_, index) => line(index + 1, 'x'.repeat(10_000)))
    await writeFile(files.events, long.join(''))
    const log = open()
    for (;;) {
      const events = await log.read()
      if (events.length === 0) break
      await log.acknowledge(events.at(-1)!.seq)
    }
    await writeFile(files.events, line(121))
    expect(reopened).toBe(1)
    expect(await readdir(directory)).not.toContain('events.old.jsonl')
    expect(await seqs(log)).toEqual([121])
  })

  test('goes on where a reader died in the midst of beginning anew', async () => {
    await writeFile(files.events, line(1) + line(2))
    await open().acknowledge(1)
    await rename(files.events, files.rotatedEvents)
    const log = open()
    expect(await seqs(log)).toEqual([2])
    expect(reopened).toBe(1)
    await writeFile(files.events, line(3))
    await log.acknowledge(2)
    expect(await seqs(log)).toEqual([3])
  })
})

import { mkdir, mkdtemp, readdir, rm, writeFile, appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import type { StreamEvent } from '@skipcast/contracts'
import { meters, silentLogger, waitFor } from '@skipcast/runtime'
import { channelEnvelope } from '../domain/engine-event.ts'
import { agentCounters, telemetry } from '../telemetry.ts'
import { diskJournal } from './disk-journal.ts'

const TIMEOUT_MS = 30_000
const teller = { serverId: 'here', origin: { application: 'skipcast', environment: 'test' } }

let directory: string
let bus: MemoryBus
let received: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-journal-'))
  bus = memoryBus()
  received = []
  bus.consume({ topic: 'streamEvents', group: 'test', handle: async ({ id }) => void received.push(id) })
})
afterEach(async () => {
  await bus[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const open = () => diskJournal(directory, bus, telemetry(silentLogger(), agentCounters(meters())))
const event = (id: string, mediaId = 'one'): StreamEvent => ({
  ...channelEnvelope(teller, { channelId: 'a', slug: 'a', epoch: 1 }, 1000, id),
  event: 'track_failed',
  media_id: mediaId,
  reason: 'not_found',
})
const until = (...ids: string[]) =>
  waitFor(`${ids.join()}; got ${received.join()}`, () => ids.every((id) => received.includes(id)), { timeoutMs: TIMEOUT_MS })

describe('the journal', () => {
  test('publishes in order, and what was published does not come again', async () => {
    const first = await open()
    await first.append([event('1'), event('2')])
    await first.append([event('3')])
    await until('1', '2', '3')
    await first[Symbol.asyncDispose]()
    await using second = await open()
    await second.append([event('4')])
    await until('4')
    expect(received).toEqual(['1', '2', '3', '4'])
  })

  test('joins nothing to a line that a full disk tore', async () => {
    await using journal = await open()
    const segment = join(directory, '1.jsonl')
    await mkdir(segment) // nothing can be written there
    await expect(journal.append([event('1')])).rejects.toThrow('EISDIR')
    await rm(segment, { recursive: true })
    await writeFile(segment, '{"torn')
    await journal.append([event('2')])
    await until('2')
  })

  test('keeps what the bus does not take, also for the next process', async () => {
    bus.outage(true)
    const first = await open()
    await first.append([event('1')])
    await first[Symbol.asyncDispose]()
    bus.outage(false)
    await using second = await open()
    await second.append([event('2')])
    await until('1', '2')
    expect(received).toEqual(['1', '2'])
  })

  test('an event that no topic takes holds up no other', async () => {
    await using journal = await open()
    await journal.append([event('1'), event('bad', 'x'.repeat(100)), event('2')])
    await until('1', '2')
    expect(received).toEqual(['1', '2'])
  })

  test('passes over a line that a crash tore', async () => {
    await writeFile(join(directory, '1.jsonl'), `${JSON.stringify(event('1'))}\n`)
    await appendFile(join(directory, '1.jsonl'), JSON.stringify(event('torn')).slice(0, 30))
    await using journal = await open()
    await journal.append([event('2')])
    await until('1', '2')
    expect(received).toEqual(['1', '2'])
  })

  test('removes what was published whole', async () => {
    await using journal = await open()
    const many = Array.from({ length: 4000 }, (_, index) => event(`${index}`))
    for (let index = 0; index < many.length; index += 500) await journal.append(many.slice(index, index + 500))
    await until('3999')
    await waitFor(
      'old segments to go',
      async () => (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).length <= 1,
      {
        timeoutMs: TIMEOUT_MS,
      },
    )
    expect(received).toHaveLength(4000)
  }, 60_000)
})

import type { Bus } from '@skipcast/bus'
import type { StreamEvent } from '@skipcast/contracts'
import {
  agentCounters,
  agentEnv,
  serve,
  telemetry,
  type Journal,
  type MediaCache,
  type Memo,
  type Memory,
} from '@skipcast/liquidsoap-agent/core'
import { healthBoard, ownStalls, startLoop } from '@skipcast/runtime'
import type { World } from '../kernel/world.ts'
import type { Broker } from '../twins/broker.ts'
import type { Disk } from '../twins/disk.ts'
import type { Icecast2 } from '../twins/icecast2.ts'
import { simulatedEars } from '../twins/listener.ts'
import type { Machine } from '../twins/machine.ts'
import { noMeters } from './no-meters.ts'
import { ORIGIN } from './settings.ts'
import { traceLogger } from './trace-logger.ts'
import { running } from '../kernel/world.ts'

/** As it is by default. */
const CONFIG = agentEnv.parse({})

/** Starts the product's agent in the process that calls. */
export function simulatedAgent(
  world: World,
  parts: { machine: Machine; broker: Broker; icecast: Icecast2; disk: Disk; onMemory: (memory: Memory) => void },
): void {
  const process = running.getStore()!
  const { machine, disk } = parts
  const bus = parts.broker.connect(process)
  const memory = memoryOn(disk)
  parts.onMemory(memory)
  const context = { bus, origin: ORIGIN, health: healthBoard(), onStop: 'hand-over' as const }
  const clock = { wallMs: () => Date.now(), steadyMs: () => performance.now() }
  serve(
    {
      id: machine.name,
      dependency: 'liquidsoap',
      host: machine.hostOf(process),
      cache: cacheOn(disk, world),
      memory,
      capacity: 100,
      labels: {},
      versions: () => ({}),
      tell: telemetry(traceLogger(world), agentCounters(noMeters())),
    },
    {
      config: CONFIG,
      context,
      commands: bus.watch('streamCommands'),
      journal: journalOn(disk, bus),
      openEar: simulatedEars(world, parts.icecast),
      clock,
      stalls: ownStalls(clock),
    },
  )
}

function memoryOn(disk: Disk): Memory {
  const memos = new Map<string, Memo>(Object.entries((disk.read('channels') as Record<string, Memo> | null) ?? {}))
  return { memos, save: () => disk.write('channels', Object.fromEntries(memos)) }
}

/** As `disk-journal.ts` promises: on disk when `append` resolves, and published from there, again and again until the bus has it. */
function journalOn(disk: Disk, bus: Pick<Bus, 'publish'>): Journal {
  let waiting = (disk.read('journal') as StreamEvent[] | null) ?? []
  const publish = async () => {
    const batch = waiting
    if (batch.length === 0) return
    await bus.publish(
      'streamEvents',
      batch.map((value) => ({ key: value.channel_id, value })),
    )
    waiting = waiting.slice(batch.length)
    await disk.write('journal', waiting)
  }
  const loop = startLoop(publish, { everyMs: 1000, onError() {} })
  return {
    async append(events) {
      if (events.length === 0) return
      waiting = [...waiting, ...events]
      await disk.write('journal', waiting)
      loop.nudge()
    },
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}

function cacheOn(disk: Disk, world: World): MediaCache {
  const random = world.random.fork('cache')
  const there = new Set((disk.read('media') as string[] | null) ?? [])
  return {
    list: async () => there,
    async fetch(sha256) {
      await new Promise((resolve) => void setTimeout(resolve, random.between(10, 150)))
      there.add(sha256)
      await disk.write('media', [...there])
    },
    sizeBytes: async () => 0,
    evict: async () => {},
  }
}

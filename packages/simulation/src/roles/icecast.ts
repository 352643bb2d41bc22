import {
  fedMounts,
  icecastTelemetry,
  mountKeeper,
  mountsOf,
  withinTime,
  type Attempt,
  type EpochStore,
  type Feeder,
  type Signposts,
} from '@skipcast/icecast/core'
import { startLoop } from '@skipcast/runtime'
import { running, type Process, type World } from '../kernel/world.ts'
import type { Broker } from '../twins/broker.ts'
import type { Disk } from '../twins/disk.ts'
import type { Icecast2 } from '../twins/icecast2.ts'
import { noMeters } from './no-meters.ts'
import { SIGNING_KEY } from './settings.ts'
import { traceLogger } from './trace-logger.ts'

const PASS_EVERY_MS = 5000
const OWN_PASSWORD = 'filler'

/** Starts the product's role `icecast` in the process that calls, beside the simulated icecast2. */
export function simulatedIcecastRole(
  world: World,
  parts: {
    broker: Broker
    icecast: Icecast2
    disk: Disk
    onRaise: (channelId: string, mount: string, epoch: number) => void
  },
): void {
  const process = running.getStore()!
  const { icecast, disk } = parts
  const telemetry = icecastTelemetry(traceLogger(world), noMeters())
  const commands = parts.broker.connect(process).watch('streamCommands')
  const feeder = simulatedFeeder(icecast, process, telemetry)
  const lastKnown = disk.read('wanted') as string | null
  const keeper = mountKeeper(
    {
      commands,
      admin: icecast.adminOf(process),
      feeder,
      signposts: signpostsOn(disk, icecast),
      // Nobody listens: that only makes it faster.
      openEar: () => ({ [Symbol.dispose]() {} }),
      limits: { async keep() {} },
      epochs: epochsOn(disk, parts.onRaise),
      telemetry,
      reportIcecast() {},
    },
    { signingKey: SIGNING_KEY, lastKnown, defaultBitrateKbps: 128 },
  )
  icecast.ask = { process, isYes: withinTime({ answer: (question, signal) => keeper.answer(question, signal), telemetry }) }
  let saved = lastKnown
  const pass = async () => {
    await keeper.pass()
    const snapshot = keeper.wanted.snapshot()
    if (!keeper.wanted.isComplete || snapshot === saved) return
    await disk.write('wanted', snapshot)
    saved = snapshot
  }
  const loop = startLoop(pass, { everyMs: PASS_EVERY_MS, onError() {} })
  commands.onChange(() => loop.nudge())
}

/** As `epoch-files.ts` does it, on the simulated disk. */
function epochsOn(disk: Disk, onRaise: (channelId: string, mount: string, epoch: number) => void): EpochStore {
  const file = (channelId: string, mount: string) => `epoch ${channelId} ${mount}`
  const highest = async (channelId: string, mount: string) => disk.read(file(channelId, mount)) as number | null
  return {
    highest,
    async raise(channelId, mount, epoch) {
      const before = await highest(channelId, mount)
      if (before !== null && before >= epoch) return
      await disk.write(file(channelId, mount), epoch)
      onRaise(channelId, mount, epoch)
    },
  }
}

/** As `mount-map.ts` does it: the front knows at once, the disk a little later. */
function signpostsOn(disk: Disk, { turned }: Icecast2): Signposts {
  const mine = new Map(disk.read('mounts') as [string, string][] | null)
  const tell = (channelMount: string) => {
    const mount = mine.get(channelMount)
    if (mount === undefined) turned.delete(channelMount)
    else turned.set(channelMount, mount)
  }
  return {
    of: (channelMount) => mine.get(channelMount) ?? channelMount,
    async turn(channelMount, mount) {
      if (mount === channelMount) mine.delete(channelMount)
      else mine.set(channelMount, mountsOf(channelMount)[1])
      tell(channelMount)
      void disk.write('mounts', [...mine])
    },
    async repair() {
      for (const channelMount of new Set([...turned.keys(), ...mine.keys()])) tell(channelMount)
    },
  }
}

/** The product's own mounts of silence, over simulated connections. */
function simulatedFeeder(icecast: Icecast2, process: Process, telemetry: Parameters<typeof fedMounts>[1]): Feeder {
  const tryOnce = async (mount: string): Promise<Attempt> => {
    const ended = Promise.withResolvers<void>()
    const request = { path: mount, password: OWN_PASSWORD, from: process, flow: () => 'silence' as const, onEnd: ended.resolve }
    const outcome = await icecast.connect(request)
    if (outcome === 'busy') return { kind: 'busy' }
    if (outcome !== 'connected') return { kind: 'failed', reason: outcome }
    const close = () => {
      icecast.leave(mount, process, OWN_PASSWORD)
      ended.resolve()
    }
    return { kind: 'connected', connection: { write() {}, close, ended: ended.promise } }
  }
  return {
    ...fedMounts(tryOnce, telemetry),
    isOwnPassword: (password) => password === OWN_PASSWORD,
    async [Symbol.asyncDispose]() {},
  }
}

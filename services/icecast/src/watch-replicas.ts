import { mountsOf } from './domain/mounts.ts'
import { comparison, type Comparison } from './domain/stall.ts'
import type { OpenEar } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

/**
 * Listens to both mounts of each channel that two replicas play: Icecast itself takes 2 s and more to end a source that is silent with its connection
 * open, as when its server's network is gone. Listeners are moved long before that, and nobody is ended: who comes back has them again 3 s later.
 */
export interface ReplicaWatch extends Disposable {
  /** Begins and ends listening, as channels have two replicas or have not. Cheap: meant for each pass, and each change. */
  look(): void
}

export function watchReplicas(ports: {
  readonly openEar: OpenEar
  readonly wanted: Pick<WantedChannels, 'channels'>
  readonly roster: Roster
  readonly settling: Pick<Settling, 'begin' | 'fetch'>
  readonly telemetry: Pick<Telemetry, 'stalled'>
  readonly now: () => number
}): ReplicaWatch {
  const { openEar, wanted, roster, settling, telemetry, now } = ports
  const watched = new Map<string, DisposableStack>()

  const judge = (channelMount: string, both: Comparison) => {
    if (!watched.has(channelMount)) return
    const stalled = both.stalled(now())
    for (const mount of mountsOf(channelMount)) {
      if (!roster.stall(mount, stalled.has(mount))) continue
      telemetry.stalled(mount, stalled.has(mount))
      settling.fetch(channelMount)
      settling.begin(channelMount)
    }
  }
  const end = (channelMount: string) => {
    watched.get(channelMount)?.dispose()
    watched.delete(channelMount)
    for (const mount of mountsOf(channelMount)) roster.stall(mount, false)
  }

  return {
    look() {
      for (const channelMount of watched.keys()) if (!wanted.channels.get(channelMount)?.standby) end(channelMount)
      for (const [channelMount, { standby }] of wanted.channels) {
        const mounts = mountsOf(channelMount)
        const areTwo = standby !== null && mounts.every((mount) => roster.engines.has(mount))
        if (!areTwo) end(channelMount)
        if (!areTwo || watched.has(channelMount)) continue
        const ears = new DisposableStack()
        const both = comparison([...mounts])
        const hear = (mount: string) => (bytes: number | 'lost') => {
          both.heard(mount, bytes, now())
          // It may be that we did not run: what came on the other mount meanwhile is read before that is judged.
          setImmediate(judge, channelMount, both)
        }
        for (const mount of mounts) ears.use(openEar(mount, hear(mount)))
        watched.set(channelMount, ears)
      }
    },
    [Symbol.dispose]() {
      for (const ears of watched.values()) ears.dispose()
      watched.clear()
    },
  }
}

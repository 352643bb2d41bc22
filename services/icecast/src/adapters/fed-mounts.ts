import type { Feeder } from '../ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { fedMount, type FedMount, type TryOnce } from './fed-mount.ts'

/** The mounts that are kept fed, over whatever connections `tryOnce` makes. */
export interface FedMounts extends Pick<Feeder, 'feed' | 'leave' | 'nudge' | 'isConnected'> {
  all(): Iterable<FedMount>
  leaveAll(): void
}

export function fedMounts(tryOnce: TryOnce, telemetry: Pick<Telemetry, 'fillerFailed'>): FedMounts {
  const fed = new Map<string, FedMount>()
  return {
    feed(mount, sound) {
      const already = fed.get(mount)
      if (already) already.sound = sound
      else fed.set(mount, fedMount(mount, sound, tryOnce, telemetry))
    },
    leave(mount) {
      fed.get(mount)?.close()
      fed.delete(mount)
    },
    nudge: (mount) => fed.get(mount)?.nudge(),
    isConnected: (mount) => fed.get(mount)?.isConnected() ?? false,
    all: () => fed.values(),
    leaveAll() {
      for (const mount of fed.values()) mount.close()
      fed.clear()
    },
  }
}

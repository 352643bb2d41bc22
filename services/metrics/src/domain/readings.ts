import type { StreamCommand } from '@skipcast/contracts'
import type { MountStatistics } from './statistics.ts'

/** What one channel's listeners are, at one moment. */
export interface Reading {
  readonly channelId: string
  readonly slug: string
  readonly mount: string
  readonly count: number
  readonly peak: number
  readonly bitrateKbps: number | null
  readonly title: string | null
  readonly uptimeS: number
}

/**
 * Turns mounts into channels. Who waits on the channel's waiting mount while its sources change places is a listener as well; our own
 * monitors are not. Mounts of no known channel are left out.
 */
export function readings(
  statistics: readonly MountStatistics[],
  commands: Iterable<StreamCommand>,
  monitorsOf: (channelId: string) => number,
  now: number,
): Map<string, Reading> {
  const mounts = new Map(statistics.map((entry) => [entry.mount, entry]))
  const found = new Map<string, Reading>()
  for (const { channel_id: channelId, channel_slug: slug, mount } of commands) {
    const shown = mounts.get(mount)
    if (!shown) continue
    const audience = (connections: number) => Math.max(0, connections - monitorsOf(channelId))
    const count = audience(shown.listeners + (mounts.get(`/w${mount}`)?.listeners ?? 0))
    found.set(channelId, {
      channelId,
      slug,
      mount,
      count,
      peak: Math.max(count, audience(shown.peak)),
      bitrateKbps: shown.bitrateKbps,
      title: shown.title,
      uptimeS: shown.startedAt === null ? 0 : Math.max(0, Math.floor((now - shown.startedAt) / 1000)),
    })
  }
  return found
}

/**
 * What is worth telling: all of it, or what differs from what was told last (time going by is no difference). A channel whose mount
 * is gone is told of once more, without listeners.
 */
export function news(now: ReadonlyMap<string, Reading>, told: ReadonlyMap<string, Reading>, isFull: boolean): Reading[] {
  const changed = [...now.values()].filter((reading) => isFull || !isSame(reading, told.get(reading.channelId)))
  const gone = [...told.values()].filter(({ channelId }) => !now.has(channelId))
  return [...changed, ...gone.map((reading) => ({ ...reading, count: 0, bitrateKbps: null, title: null, uptimeS: 0 }))]
}

function isSame(a: Reading, b: Reading | undefined): boolean {
  return (
    b !== undefined &&
    a.mount === b.mount &&
    a.count === b.count &&
    a.peak === b.peak &&
    a.bitrateKbps === b.bitrateKbps &&
    a.title === b.title
  )
}

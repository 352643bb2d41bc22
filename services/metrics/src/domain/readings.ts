import type { StreamCommand } from '@skipcast/contracts'
import type { MountStatistics } from './statistics.ts'

/** What one Icecast said last of its mounts; null when it has not answered for some time. */
export interface Sight {
  readonly icecast: string
  readonly mounts: ReadonlyMap<string, MountStatistics> | null
}

/** One Icecast's part in a channel. */
interface Share {
  readonly icecast: string
  /** As it sees itself, so with our monitors. Null: it had the channel, but does not answer now. */
  readonly seen: { readonly connections: number; readonly peak: number } | null
}

/** What one channel's listeners are, on all Icecasts together, at one moment. */
export interface Reading {
  readonly channelId: string
  readonly slug: string
  readonly mount: string
  readonly count: number
  readonly peak: number
  readonly bitrateKbps: number | null
  readonly title: string | null
  /** When the oldest of the present sources connected, in ms. */
  readonly startedAt: number | null
  /** The most connections at once since then, as far as it was seen. */
  readonly mostConnections: number
  /** In the order of the Icecasts; those without the channel are left out. */
  readonly shares: readonly Share[]
}

/** What was told last, by channel id. */
export type Told = ReadonlyMap<string, Reading>

/**
 * Turns mounts into channels. A channel has two, and who hears it may be on either, whichever its programme is sent to; our own
 * monitors are no listeners. Mounts of no known channel are left out. A channel of which only silent Icecasts could speak stays as it was told.
 */
export function readings(
  sights: readonly Sight[],
  commands: Iterable<StreamCommand>,
  monitorsOf: (channelId: string) => number,
  told: Told,
): Map<string, Reading> {
  const found = new Map<string, Reading>()
  for (const command of commands) {
    const { channel_id: channelId } = command
    const before = told.get(channelId)
    const parts = sights.map((sight) => partOf(sight, command))
    const shares = sights.flatMap((sight, index) => shareOf(sight, parts[index]!, before) ?? [])
    const shown = parts.filter((part) => part.length > 0)
    if (shown.length > 0) found.set(channelId, together(command, shown, shares, monitorsOf(channelId), before))
    else if (before && shares.length > 0) found.set(channelId, { ...before, shares })
  }
  return found
}

/** Those of a channel's two mounts that an Icecast has, that of the primary first. */
function partOf({ mounts }: Sight, { mount, channel_slug: slug }: StreamCommand): MountStatistics[] {
  const names = mount === `/${slug}` ? [mount, `/w/${slug}`] : [mount, `/${slug}`]
  return names.flatMap((name) => mounts?.get(name) ?? [])
}

function shareOf({ icecast, mounts }: Sight, part: readonly MountStatistics[], before: Reading | undefined): Share | null {
  if (mounts === null) return before?.shares.some((share) => share.icecast === icecast) ? { icecast, seen: null } : null
  if (part.length === 0) return null
  const connections = part.reduce((sum, { listeners }) => sum + listeners, 0)
  // Listeners go from one mount to the other: what each had at most need not have been at the same moment.
  return { icecast, seen: { connections, peak: Math.max(connections, ...part.map(({ peak }) => peak)) } }
}

function together(
  { channel_id: channelId, channel_slug: slug }: StreamCommand,
  /** Of each Icecast that has the channel: its mounts, the one that counts first. */
  shown: readonly (readonly MountStatistics[])[],
  shares: readonly Share[],
  monitors: number,
  before: Reading | undefined,
): Reading {
  const seen = shares.flatMap((share) => share.seen ?? [])
  const starts = shown.flatMap(([entry]) => entry!.startedAt ?? [])
  const startedAt = starts.length > 0 ? Math.min(...starts) : null
  const connections = seen.reduce((sum, share) => sum + share.connections, 0)
  // The peaks of several need not have been at the same moment: their sum was perhaps never reached.
  const peaks = seen.map((share) => share.peak)
  const mostBefore = before?.startedAt === startedAt ? before.mostConnections : 0
  const mostConnections = Math.max(connections, mostBefore, ...peaks)
  const audience = (of: number) => Math.max(0, of - monitors)
  const entries = shown.flat()
  return {
    channelId,
    slug,
    mount: `/${slug}`,
    count: audience(connections),
    peak: audience(mostConnections),
    bitrateKbps: entries.find((entry) => entry.bitrateKbps !== null)?.bitrateKbps ?? null,
    title: entries.find((entry) => entry.title !== null)?.title ?? null,
    startedAt,
    mostConnections,
    shares,
  }
}

/**
 * What is worth telling: all that is known, or what differs from what was told last (time going by is no difference). A channel whose
 * mount is gone everywhere is told of once more, without listeners.
 */
export function news(now: ReadonlyMap<string, Reading>, told: Told, isFull: boolean): Reading[] {
  const known = [...now.values()].filter(({ shares }) => shares.some(({ seen }) => seen !== null))
  const changed = known.filter((reading) => isFull || !isSame(reading, told.get(reading.channelId)))
  const gone = [...told.values()].filter(({ channelId }) => !now.has(channelId))
  const emptied = gone.map((reading): Reading => {
    return { ...reading, count: 0, bitrateKbps: null, title: null, startedAt: null, mostConnections: 0, shares: [] }
  })
  return [...changed, ...emptied]
}

function isSame(a: Reading, b: Reading | undefined): boolean {
  return (
    b !== undefined &&
    a.mount === b.mount &&
    a.count === b.count &&
    a.peak === b.peak &&
    a.bitrateKbps === b.bitrateKbps &&
    a.title === b.title &&
    a.shares.length === b.shares.length &&
    a.shares.every((share, index) => isSameShare(share, b.shares[index]!))
  )
}

function isSameShare(a: Share, b: Share): boolean {
  return a.icecast === b.icecast && a.seen?.connections === b.seen?.connections && a.seen?.peak === b.seen?.peak
}

import type { StateView } from '@skipcast/bus'
import { MOST_LISTENERS, streamFormat, type StartStream, type StreamCommand } from '@skipcast/contracts'
import { z } from 'zod'
import { isMp3Bitrate } from './domain/mp3-format.ts'
import { readMount } from './domain/mounts.ts'
import type { WantedChannel } from './domain/plan.ts'

const replica = z.object({ mount: z.string().refine((path) => readMount(path) !== null), epoch: z.int().min(0) })
const snapshot = z.array(
  z
    .object({
      channelId: z.string().max(64),
      mount: z.string().refine((path) => readMount(path)?.channelMount === path),
      format: streamFormat.default('mp3'),
      bitrateKbps: z.int().refine(isMp3Bitrate),
      // Absent in snapshots of versions that knew one mount for sources.
      primary: replica.optional(),
      standby: replica.nullable().default(null),
      newestEpoch: z.int().min(0).default(0),
      isSigned: z.boolean().default(false),
      generation: z.int().min(0).default(0),
      maxListeners: z.int().min(1).max(MOST_LISTENERS).nullable().default(null),
    })
    .transform(({ primary, ...channel }) => ({ ...channel, primary: primary ?? { mount: channel.mount, epoch: 0 } })),
)

/** The channels of all servers, as far as the commands tell. */
export interface WantedChannels {
  /** By the channels' own mounts. Until `isComplete`, what the last process knew stands in for what has not been read yet. */
  readonly channels: ReadonlyMap<string, WantedChannel>
  readonly isComplete: boolean
  /** The newest command of a channel. */
  of(channelId: string): StreamCommand | undefined
  /** The command of the channel that people ask for by this mount; one that is to be on air comes before one that is not. */
  at(channelMount: string): StreamCommand | undefined
  /** False only where all is known and no channel is to be on air there. */
  mayBeHeard(channelMount: string): boolean
  /** What the next process may begin with, as text. */
  snapshot(): string
}

/** Reads the commands by the channels' own mounts. `lastKnown` is a snapshot of the process before; one that can't be read counts as empty. */
export function wantedChannels(
  view: StateView<'streamCommands'>,
  options: { lastKnown: string | null; defaultBitrateKbps: number },
): WantedChannels {
  const before = readSnapshot(options.lastKnown)
  let byMount = new Map<string, StreamCommand>()
  let channels = new Map<string, WantedChannel>()
  let newestEpochs = new Map(before.map(({ channelId, newestEpoch }) => [channelId, newestEpoch]))
  let isStale = true
  view.onChange(() => (isStale = true))

  const refresh = () => {
    if (!isStale) return
    isStale = false
    const known = newestEpochs
    newestEpochs = new Map(view.isCaughtUp ? [] : known)
    for (const { channel_id, epoch, standby } of view.values.values())
      newestEpochs.set(channel_id, Math.max(known.get(channel_id) ?? 0, epoch, standby?.epoch ?? 0))
    byMount = new Map()
    for (const command of view.values.values())
      if (command.event === 'start_stream' || !byMount.has(`/${command.channel_slug}`))
        byMount.set(`/${command.channel_slug}`, command)
    channels = new Map()
    if (!view.isCaughtUp)
      for (const channel of before) if (!view.values.has(channel.channelId)) channels.set(channel.mount, channel)
    for (const [mount, command] of byMount) {
      if (command.event !== 'start_stream') continue
      const newestEpoch = newestEpochs.get(command.channel_id)!
      channels.set(mount, { ...toChannel(command, mount, options.defaultBitrateKbps), newestEpoch })
    }
  }

  return {
    get channels() {
      refresh()
      return channels
    },
    get isComplete() {
      return view.isCaughtUp
    },
    of: (channelId) => view.values.get(channelId),
    at(mount) {
      refresh()
      return byMount.get(mount)
    },
    mayBeHeard(mount) {
      refresh()
      return !view.isCaughtUp || channels.has(mount)
    },
    snapshot() {
      refresh()
      return JSON.stringify([...channels.values()])
    },
  }
}

function toChannel(command: StartStream, mount: string, defaultBitrateKbps: number): Omit<WantedChannel, 'newestEpoch'> {
  const { bitrate_kbps: given, standby } = command
  return {
    channelId: command.channel_id,
    mount,
    format: command.format ?? 'mp3',
    bitrateKbps: isMp3Bitrate(given) ? given : defaultBitrateKbps,
    primary: { mount: command.mount, epoch: command.epoch },
    standby: standby ? { mount: standby.mount, epoch: standby.epoch } : null,
    isSigned: command.listeners === 'signed',
    generation: command.generation,
    maxListeners: command.max_listeners ?? null,
  }
}

function readSnapshot(text: string | null): WantedChannel[] {
  try {
    return text === null ? [] : snapshot.parse(JSON.parse(text))
  } catch {
    return []
  }
}

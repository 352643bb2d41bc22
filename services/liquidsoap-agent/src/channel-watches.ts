import type { StartStream } from '@skipcast/contracts'
import type { OwnStalls } from '@skipcast/runtime'
import type { Clock, OpenEar } from './ports.ts'
import { watchChannel, type ChannelWatch } from './watch-channel.ts'

/** One watch for each channel that this server runs. Where a channel is fed into its other mount, it is watched anew. */
export interface ChannelWatches {
  /** The channel's watch, opened if there is none. */
  of(start: StartStream): ChannelWatch
  get(channelId: string): ChannelWatch | undefined
  all(): readonly ChannelWatch[]
  /** The channels whose watch passes. */
  ids(passes: (watch: ChannelWatch) => boolean): readonly string[]
  /** Closes those of other channels, and of these in other places. */
  keep(starts: ReadonlyMap<string, StartStream>): Promise<void>
}

export function channelWatches(
  { openEar, clock, stalls }: { openEar: OpenEar; clock: Clock; stalls: OwnStalls },
  onNews: () => void,
): ChannelWatches {
  const watches = new Map<string, { readonly mount: string; readonly token: string; readonly watch: ChannelWatch }>()
  return {
    of({ channel_id, mount, source_token: token }) {
      const known = watches.get(channel_id)
      if (known) return known.watch
      const watch = watchChannel(openEar({ mount, token }, onNews), clock, stalls)
      watches.set(channel_id, { mount, token, watch })
      return watch
    },
    get: (channelId) => watches.get(channelId)?.watch,
    all: () => [...watches.values()].map(({ watch }) => watch),
    ids: (passes) => [...watches].filter(([, { watch }]) => passes(watch)).map(([channelId]) => channelId),
    async keep(starts) {
      for (const [channelId, { mount, token, watch }] of watches) {
        const start = starts.get(channelId)
        if (start?.mount === mount && start.source_token === token) continue
        watches.delete(channelId)
        await watch[Symbol.asyncDispose]()
      }
    },
  }
}

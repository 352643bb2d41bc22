import type { Channel } from '@skipcast/db'
import type { ApiPorts } from '../ports.ts'
import { showStreamEvent, type StreamPorts } from './stream-views.ts'

const CHANNELS_PER_PAGE = 500

/** How the stream of a channel is, as it is told to those who may know of the channel. */
export interface StreamNow {
  readonly of: Channel
  readonly event: ReturnType<typeof showStreamEvent>
}

/** How all streams are now, in order of the channels' ids, private ones too. Rejects with DATABASE_UNAVAILABLE. */
export async function allStreams(ports: StreamPorts & Pick<ApiPorts, 'stores'>): Promise<StreamNow[]> {
  const streams: StreamNow[] = []
  let page: Channel[]
  do {
    page = await ports.stores.channels.listFrom(streams.at(-1)?.of.id ?? '', CHANNELS_PER_PAGE)
    streams.push(...page.map((channel) => ({ of: channel, event: showStreamEvent(ports, channel) })))
  } while (page.length === CHANNELS_PER_PAGE)
  return streams
}

import type { Channel } from '@skipcast/db'
import type { ApiPorts } from '../ports.ts'
import { showStreamEvent, type StreamPorts } from './stream-views.ts'

const CHANNELS_PER_PAGE = 500

/** How all streams are now, in order of the channels' ids. Rejects with DATABASE_UNAVAILABLE. */
export async function allStreams(ports: StreamPorts & Pick<ApiPorts, 'stores'>): Promise<ReturnType<typeof showStreamEvent>[]> {
  const streams: ReturnType<typeof showStreamEvent>[] = []
  let page: Channel[]
  do {
    page = await ports.stores.channels.listFrom(streams.at(-1)?.channel.id ?? '', CHANNELS_PER_PAGE)
    streams.push(...page.map((channel) => showStreamEvent(ports, channel)))
  } while (page.length === CHANNELS_PER_PAGE)
  return streams
}

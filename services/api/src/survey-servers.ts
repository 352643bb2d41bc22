import { streamCost } from '@skipcast/contracts'
import type { Books, Channel } from '@skipcast/db'
import type { Placeable } from './domain/server.ts'
import { survey, type Survey } from './domain/survey.ts'
import type { ApiPorts, ApiSettings } from './ports.ts'

export interface SurveyPorts extends Pick<ApiPorts, 'stores' | 'fleet'> {
  readonly settings: Pick<ApiSettings, 'maxSilentPercent'>
}

/** All servers as they are now, with what they carry by our own books: heartbeats tell of the past. Rejects with DATABASE_UNAVAILABLE. */
export async function surveyServers({ stores, fleet, settings }: SurveyPorts): Promise<Survey & { readonly books: Books }> {
  const books = await stores.channels.readBooks()
  const known = fleet.list().map(({ heartbeat }) => {
    const { server_id: id, capacity, labels, heard = 0, cut_off_ms: cutOffMs = 0 } = heartbeat
    return { id, capacity, labels, heard, cutOffMs }
  })
  return { ...survey(known, (id) => fleet.sight(id), books, settings.maxSilentPercent), books }
}

/** A channel as placement sees it. */
export function placeableOf(channel: Channel): Placeable {
  return {
    id: channel.id,
    cost: streamCost(channel),
    replicas: channel.replicas,
    labels: channel.serverLabels,
    pin: channel.pinnedServerId,
    primary: channel.serverId,
    standby: channel.standbyServerId,
    awaits: channel.handOver === 'track_end' ? channel.movedFrom : null,
  }
}

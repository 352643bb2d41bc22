import { streamCost } from '@skipcast/contracts'
import type { Labels, Server, ServerState } from './server.ts'
import type { ServerSight } from './stream-view.ts'

/** A server as it told of itself. */
export interface KnownServer {
  readonly id: string
  readonly capacity: number
  readonly labels: Labels
  /** How many of its channels are heard. */
  readonly heard: number
  /** For how long it has been cut off from Icecast, as it says; 0: it is not. */
  readonly cutOffMs: number
}

/** An Icecast that starts again, or a busy machine, takes less. */
const CUT_OFF_AFTER_MS = 5000

export interface Books {
  readonly placed: readonly {
    readonly serverId: string
    readonly mode: 'copy' | 'encode'
    readonly format: 'mp3' | 'opus' | 'aac'
    readonly channels: number
  }[]
  /** Servers that somebody wants empty. */
  readonly drained: readonly string[]
}

export interface Survey {
  readonly servers: Server[]
  /** Why no server is given up; null: those that are silent are. */
  readonly problem: string | null
}

/**
 * All servers as placement sees them: those that told of themselves, and those that have channels. Where more than `maxSilentPercent` of those that
 * matter are silent at once, it is more likely that we do not hear them, and none of them is called lost. A silent server without channels matters to nobody.
 * One that is cut off from Icecast is as good as silent, where others are heard there: else it is Icecast's fault.
 */
export function survey(
  known: readonly KnownServer[],
  sightOf: (serverId: string) => ServerSight,
  books: Books,
  maxSilentPercent: number,
): Survey {
  const loads = new Map<string, number>()
  for (const { serverId, channels, ...stream } of books.placed)
    loads.set(serverId, (loads.get(serverId) ?? 0) + channels * streamCost(stream))
  const servers = new Map<string, KnownServer>()
  for (const id of loads.keys()) servers.set(id, { id, capacity: 0, labels: {}, heard: 0, cutOffMs: 0 })
  for (const server of known) servers.set(server.id, server)

  const isCutOff = ({ cutOffMs }: KnownServer) => cutOffMs > CUT_OFF_AFTER_MS
  const isIcecastThere = known.some((server) => server.heard > 0 && !isCutOff(server) && sightOf(server.id).kind === 'heard')
  const seen = (server: KnownServer) => (isIcecastThere && isCutOff(server) ? 'silent' : sightOf(server.id).kind)
  const sights = new Map([...servers].map(([id, server]) => [id, seen(server)]))
  const count = (of: (id: string) => boolean) => [...servers.keys()].filter(of).length
  const silent = count((id) => sights.get(id) === 'silent' && loads.has(id))
  const heard = count((id) => sights.get(id) === 'heard')
  // One alone is no sign of anything but itself.
  const isOurs = silent > 1 && silent * 100 > maxSilentPercent * (silent + heard)

  const drained = new Set(books.drained)
  const stateOf = (id: string): ServerState => {
    if (sights.get(id) === 'heard') return drained.has(id) ? 'draining' : 'open'
    return sights.get(id) === 'silent' && !isOurs ? 'lost' : 'unsure'
  }
  return {
    servers: [...servers.values()].map((server) => ({ ...server, state: stateOf(server.id), load: loads.get(server.id) ?? 0 })),
    problem: isOurs
      ? `${silent} of ${silent + heard} servers fell silent at once, so their channels stay where they are: see whether they, and this process, reach Kafka, and they Icecast. FAILOVER_MAX_SILENT_PERCENT=100 moves the channels all the same.`
      : null,
  }
}

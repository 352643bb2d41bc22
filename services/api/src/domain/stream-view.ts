import type { Phase, StreamError, StreamStatus } from '@skipcast/contracts'

/** What is wanted of a stream: the part of a channel that matters here. */
export interface WantedStream {
  readonly slug: string
  readonly wanted: 'on' | 'off'
  readonly generation: number
  readonly epoch: number
  readonly serverId: string | null
  readonly commandedAt: Date | null
}

/** A stream that may have a second replica. */
export interface WantedReplicas extends WantedStream {
  readonly replicas: 1 | 2
  readonly standbyServerId: string | null
  readonly standbyEpoch: number
}

/**
 * What we know of the server that has the stream: `heard` lately; `silent` since; or `unknown`, because it is we who
 * can't hear anybody (the bus is away, or was not read to its end yet).
 */
export type ServerSight =
  | { readonly kind: 'heard' }
  | { readonly kind: 'silent'; readonly since: number }
  | { readonly kind: 'unknown' }

export interface StreamFacts {
  readonly wanted: WantedStream
  /** What an agent told last. */
  readonly status: StreamStatus | undefined
  readonly server: ServerSight
  /** When the server was heard last, in ms since the epoch; null: never. */
  readonly heardAt: number | null
  /** Since when nothing that agents tell can reach us; null while it can. */
  readonly deafSince: number | null
  /** What metrics counted last on the channel's mount, and when. null: unknown. */
  readonly listeners: { readonly count: number; readonly at: number } | null
}

export interface StreamView {
  readonly phase: Phase
  readonly server: string | null
  readonly epoch: number
  readonly mount: string
  readonly since: number | null
  /** When its agent was last known to see it so; null: nobody has told of it. */
  readonly observedAt: number | null
  /** Nothing new can reach us: all this is as it was then. */
  readonly isStale: boolean
  readonly nowPlaying: StreamStatus['now_playing']
  readonly listeners: number | null
  readonly lastError: StreamError | null
}

/** The truth about a stream: what was seen, never what was wished. It sees only its arguments. */
export function streamView(facts: StreamFacts): StreamView {
  const { wanted, status, server, listeners } = facts
  const current = status && status.epoch >= wanted.epoch ? status : undefined
  const phase = phaseOf(wanted, current, server)
  const isObserved = phase === current?.phase
  const isHeard = isObserved && (phase === 'on_air' || phase === 'silent')
  return {
    phase,
    server: wanted.serverId,
    epoch: wanted.epoch,
    mount: `/${wanted.slug}`,
    since: isObserved ? current.since : server.kind === 'silent' && phase === 'failing' ? server.since : msOf(wanted.commandedAt),
    observedAt: observedAtOf(facts),
    isStale: facts.deafSince !== null,
    nowPlaying: isHeard ? current.now_playing : null,
    listeners: phase === 'off' ? 0 : (listeners?.count ?? null),
    lastError: phase === 'off' ? null : errorOf(facts, current),
  }
}

/** How the second replica is, seen as the first is: its facts are those of its server. null: there is none, and none is wanted. */
export function standbyView(
  facts: Omit<StreamFacts, 'wanted' | 'listeners'> & { readonly wanted: WantedReplicas },
): Pick<StreamView, 'server' | 'phase' | 'since' | 'lastError'> | null {
  const { replicas, standbyServerId, standbyEpoch } = facts.wanted
  if (replicas === 1 && standbyServerId === null) return null
  const wanted = { ...facts.wanted, serverId: standbyServerId, epoch: standbyEpoch }
  const { server, phase, since, lastError } = streamView({ ...facts, wanted, listeners: null })
  return { server, phase, since, lastError }
}

/** An agent tells what changes: while it is heard and tells nothing, all is as it said. */
function observedAtOf({ wanted, status, heardAt }: StreamFacts): number | null {
  if (!status) return null
  return Math.max(status.occurred_at, status.server_id === wanted.serverId ? (heardAt ?? 0) : 0)
}

function phaseOf(wanted: WantedStream, current: StreamStatus | undefined, server: ServerSight): Phase {
  // What was told of an older placement ended with that; whoever runs it still is told to stop, and says so under the present epoch.
  if (wanted.wanted === 'off') return current === undefined || current.phase === 'off' ? 'off' : 'stopping'
  if (wanted.serverId === null) return 'placing'
  if (server.kind === 'silent') return 'failing'
  if (!current) return 'starting'
  const { phase, generation } = current
  // What is heard is heard, also while a newer generation (another playlist, say) is on its way.
  if (phase === 'on_air' || phase === 'silent') return phase
  // Anything else may have been told before the agent took up the present command.
  return phase === 'failing' && generation >= wanted.generation ? 'failing' : 'starting'
}

function errorOf(facts: StreamFacts, current: StreamStatus | undefined): StreamError | null {
  const { server, deafSince } = facts
  if (server.kind === 'silent') return silence(facts, server.since, current)
  if (current?.last_error) return current.last_error
  if (deafSince === null) return null
  return {
    code: 'BUS_UNREACHABLE',
    message: `Kafka has been out of reach since ${isoOf(deafSince)}: the stream is shown as it was seen before.`,
    hint: 'See whether Kafka runs and KAFKA_BROKER leads there; /readyz says what is wrong. Engines play on meanwhile, and commands are kept.',
    at: deafSince,
  }
}

/** Nobody sees the stream any more; it may well be on air. What is known is told: what was seen last, and whether Icecast still has listeners of it. */
function silence({ wanted, listeners }: StreamFacts, since: number, current: StreamStatus | undefined): StreamError {
  const known = [`The server ${wanted.serverId} has not been heard since ${isoOf(since)}.`]
  if (current) known.push(`Until then the stream was ${current.phase}, since ${isoOf(current.since)}.`)
  const isCounted = listeners !== null && listeners.at > since
  if (isCounted) known.push(`Icecast still has its mount: ${listeners.count} listened at ${isoOf(listeners.at)}.`)
  return {
    code: 'SERVER_SILENT',
    message: known.join(' '),
    hint: `See whether Skipcast runs there with the role liquidsoap and reaches Kafka. Its engines may still be playing${isCounted ? ': listen to the mount' : ''}.`,
    at: since,
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function msOf(date: Date | null): number | null {
  return date?.getTime() ?? null
}

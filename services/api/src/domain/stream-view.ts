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
  /** null: unknown. */
  readonly listeners: number | null
}

export interface StreamView {
  readonly phase: Phase
  readonly server: string | null
  readonly epoch: number
  readonly mount: string
  readonly since: number | null
  readonly nowPlaying: StreamStatus['now_playing']
  readonly listeners: number | null
  readonly lastError: StreamError | null
}

/** The truth about a stream: what was seen, never what was wished. It sees only its arguments. */
export function streamView({ wanted, status, server, listeners }: StreamFacts): StreamView {
  const current = status && status.epoch >= wanted.epoch ? status : undefined
  const phase = phaseOf(wanted, status, current, server)
  const isObserved = phase === current?.phase
  const isHeard = isObserved && (phase === 'on_air' || phase === 'silent')
  return {
    phase,
    server: wanted.serverId,
    epoch: wanted.epoch,
    mount: `/${wanted.slug}`,
    since: isObserved ? current.since : server.kind === 'silent' && phase === 'failing' ? server.since : msOf(wanted.commandedAt),
    nowPlaying: isHeard ? current.now_playing : null,
    listeners: phase === 'off' ? 0 : listeners,
    lastError: phase === 'off' ? null : errorOf(wanted, current, server),
  }
}

function phaseOf(
  wanted: WantedStream,
  status: StreamStatus | undefined,
  current: StreamStatus | undefined,
  server: ServerSight,
): Phase {
  if (wanted.wanted === 'off') return status === undefined || status.phase === 'off' ? 'off' : 'stopping'
  if (wanted.serverId === null) return 'placing'
  if (server.kind === 'silent') return 'failing'
  if (!current) return 'starting'
  const { phase, generation } = current
  // What is heard is heard, also while a newer generation (another playlist, say) is on its way.
  if (phase === 'on_air' || phase === 'silent') return phase
  // Anything else may have been told before the agent took up the present command.
  return phase === 'failing' && generation >= wanted.generation ? 'failing' : 'starting'
}

function errorOf(wanted: WantedStream, current: StreamStatus | undefined, server: ServerSight): StreamError | null {
  if (server.kind !== 'silent') return current?.last_error ?? null
  return {
    code: 'SERVER_SILENT',
    message: `The server ${wanted.serverId} has not been heard since ${new Date(server.since).toISOString()}.`,
    hint: `See whether Skipcast runs there with the role liquidsoap and reaches Kafka. Its engines may still be playing.`,
    at: server.since,
  }
}

function msOf(date: Date | null): number | null {
  return date?.getTime() ?? null
}

import { phase, type Phase } from '@skipcast/contracts'
import type { Meters } from '@skipcast/runtime'
import type { MoveReason } from './domain/place.ts'
import type { Swept } from './sweep-media.ts'

export interface Facts {
  /** How many channels are in each phase. */
  readonly phases: () => Promise<ReadonlyMap<Phase, number>>
  readonly outbox: () => Promise<{ readonly waiting: number; readonly oldestMs: number; readonly setAside: number }>
  readonly servers: () => readonly {
    readonly id: string
    readonly isHeard: boolean
    readonly engines: number
    readonly load: number
  }[]
  readonly listeners: () => Promise<number>
}

/** What the role `api` measures. */
export function apiTelemetry(meters: Meters, facts: Facts) {
  meters.gauge('skipcast_channels', 'Channels, by phase.', ['phase'], async () => {
    const counts = await facts.phases()
    return phase.options.map((name) => ({ labels: { phase: name }, value: counts.get(name) ?? 0 }))
  })
  meters.gauge('skipcast_outbox_rows', 'Commands that wait for the bus, or can never go there.', ['state'], async () => {
    const { waiting, setAside } = await facts.outbox()
    return [
      { labels: { state: 'waiting' }, value: waiting },
      { labels: { state: 'set_aside' }, value: setAside },
    ]
  })
  meters.gauge('skipcast_outbox_oldest_seconds', 'How long the oldest command waits for the bus.', [], async () => [
    { value: (await facts.outbox()).oldestMs / 1000 },
  ])
  meters.gauge('skipcast_listeners', 'Who listens, by what metrics counted last.', [], async () => [
    { value: await facts.listeners() },
  ])
  const ofServers = (read: (server: ReturnType<Facts['servers']>[number]) => number) => () =>
    facts.servers().map((server) => ({ labels: { server: server.id }, value: read(server) }))
  meters.gauge(
    'skipcast_server_up',
    'Whether a server was heard lately.',
    ['server'],
    ofServers(({ isHeard }) => Number(isHeard)),
  )
  meters.gauge(
    'skipcast_server_engines',
    'Engines of a server.',
    ['server'],
    ofServers(({ engines }) => engines),
  )
  meters.gauge(
    'skipcast_server_load',
    'What the channels of a server cost.',
    ['server'],
    ofServers(({ load }) => load),
  )

  const requests = meters.histogram('skipcast_http_request_duration_seconds', 'Requests to the API.', [
    'method',
    'route',
    'status',
  ])
  const relayed = meters.histogram('skipcast_outbox_relay_seconds', 'From the commit of a command until the bus has it.', [])
  const sweptFiles = meters.counter('skipcast_media_swept_files_total', 'Files that no piece named any more.', [])
  const sweptBytes = meters.counter('skipcast_media_swept_bytes_total', 'What these took.', [])
  const moves = meters.counter('skipcast_channel_moves_total', 'Channels that got another server, by why.', ['because'])
  return {
    moved: (because: MoveReason) => moves.inc({ because }),
    /** `route` is the pattern, never what was asked. */
    answered(method: string, route: string | undefined, status: number, elapsedMs: number) {
      requests.observe({ method, route: route ?? 'none', status: String(status) }, elapsedMs / 1000)
    },
    /** What the sweep of the media store found. */
    swept({ removed, removedBytes }: Swept) {
      sweptFiles.inc({}, removed)
      sweptBytes.inc({}, removedBytes)
    },
    relayed: (ageMs: number) => relayed.observe(ageMs / 1000),
  }
}

export type ApiTelemetry = ReturnType<typeof apiTelemetry>

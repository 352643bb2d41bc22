import type { HealthBoard, Home, Logger, Meters } from '@skipcast/runtime'
import type { Bus } from './ports.ts'

/** What every service is handed when it starts, beside its own configuration. */
export interface ServiceContext {
  readonly bus: Bus
  readonly home: Home
  readonly logger: Logger
  readonly health: HealthBoard
  readonly meters: Meters
  /** This machine's name among the servers: `SERVER_ID`. */
  readonly serverId: string
  /** Goes into every message's envelope. */
  readonly origin: { readonly application: string; readonly environment: string }
  /**
   * What closing a service does to the processes it runs: `stop` ends them; `hand-over` leaves what listeners hear
   * (engines, icecast2) and what these need for the next process to adopt.
   */
  readonly onStop: 'stop' | 'hand-over'
}

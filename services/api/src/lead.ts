import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@skipcast/bus'
import { historyOf, leadership, OUTBOX_CHANNEL, outboxOf, type Database, type ToCommand } from '@skipcast/db'
import { messageOf, startLoop, type Logger } from '@skipcast/runtime'
import { keepHistory, type HistoryLimits } from './keep-history.ts'
import { placementPass, type PlacementLimits } from './place-channels.ts'
import type { MoveReason } from './domain/place.ts'
import type { ApiPorts, ApiSettings } from './ports.ts'
import { outboxRelay } from './relay-outbox.ts'

const RELAY_EVERY_MS = 1000
const PLACE_EVERY_MS = 1000
const HISTORY_EVERY_MS = 60_000
const CLOSE_GRACE_MS = 2000

/** What only one API process does at a time, and what can make it do so sooner. */
export interface Leader extends AsyncDisposable {
  /** Places what waits, now; does nothing in a process that does not lead. */
  placeSoon(): void
}

/** Relays the outbox, places channels and keeps the history short, as long as this process is the leader of all that share the database. */
export function lead(
  database: Database,
  ports: Pick<ApiPorts, 'stores' | 'fleet' | 'random' | 'health'> & {
    readonly settings: Pick<ApiSettings, 'maxSilentPercent'>
    readonly bus: Bus
    readonly toCommand: ToCommand
    readonly history: HistoryLimits
    readonly placement: PlacementLimits
    readonly onMoved: (because: MoveReason) => void
    readonly onRelayed: (ageMs: number) => void
    readonly logger: Logger
  },
): Leader {
  const { bus, stores, toCommand, logger } = ports
  const onError = (error: unknown) =>
    logger.warn({ problem: messageOf(error) }, 'the leader could not do its work; it tries again')
  let placeSoon = () => {}
  const claim = leadership({
    database,
    logger,
    name: 'skipcast-api',
    channel: OUTBOX_CHANNEL,
    lead(session) {
      const clock = () => performance.now()
      const outbox = outboxOf(session)
      const pass = outboxRelay({
        outbox,
        bus,
        channels: stores.channels,
        toCommand,
        logger,
        clock,
        onRelayed: ports.onRelayed,
      })
      const relay = startLoop(pass, { everyMs: RELAY_EVERY_MS, onError })
      const confirmLead = () => outbox.confirmLead()
      const placement = startLoop(placementPass({ ...ports, confirmLead, clock }, ports.placement), {
        everyMs: PLACE_EVERY_MS,
        onError,
      })
      const history = startLoop(() => keepHistory(historyOf(session), ports.history, Date.now()), {
        everyMs: HISTORY_EVERY_MS,
        onError,
      })
      placeSoon = () => placement.nudge()
      return {
        onNotify: () => relay.nudge(),
        async [Symbol.asyncDispose]() {
          const ended = Promise.all([relay, placement, history].map((loop) => loop[Symbol.asyncDispose]()))
          // A bus that is away may take long to say so; what it was given is still in the outbox.
          await Promise.race([ended, sleep(CLOSE_GRACE_MS, undefined, { ref: false })])
          ports.health.report('failover', null) // another's business now
        },
      }
    },
  })
  return { placeSoon: () => placeSoon(), [Symbol.asyncDispose]: () => claim[Symbol.asyncDispose]() }
}

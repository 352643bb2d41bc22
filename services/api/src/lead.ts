import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@skipcast/bus'
import {
  historyOf,
  leadership,
  OUTBOX_CHANNEL,
  outboxOf,
  type Database,
  type History,
  type Outbox,
  type ToCommand,
} from '@skipcast/db'
import { messageOf, startLoop, type Logger } from '@skipcast/runtime'
import type { ErasePorts } from './erase-accounts.ts'
import { emptyTrash } from './empty-trash.ts'
import { keepAccounts } from './end-account.ts'
import { keepHistory, type HistoryLimits } from './keep-history.ts'
import { mediaKeeping, type MediaLimits } from './keep-media.ts'
import { NEXT_TURN_MS, placementPass, type PlacementLimits } from './place-channels.ts'
import type { MoveReason } from './domain/place.ts'
import type { ApiPorts, ApiSettings } from './ports.ts'
import { outboxRelay } from './relay-outbox.ts'
import { sweepMedia, type Swept, type SweepPorts } from './sweep-media.ts'

const RELAY_EVERY_MS = 1000
const PLACE_EVERY_MS = 1000
const HISTORY_EVERY_MS = 60_000
const ACCOUNTS_EVERY_MS = 60_000
const TRASH_EVERY_MS = 600_000
const MEDIA_EVERY_MS = 60_000
const SWEEP_EVERY_MS = 3_600_000
const CLOSE_GRACE_MS = 2000

/** What only one API process does at a time, and what can make it do so sooner. */
export interface Leader extends AsyncDisposable {
  /** Places what waits, now; does nothing in a process that does not lead. */
  placeSoon(): void
}

export interface LeaderPorts extends ErasePorts, Pick<ApiPorts, 'fleet' | 'random' | 'health'> {
  readonly settings: Pick<ApiSettings, 'maxSilentPercent' | 'trashDays'>
  readonly bus: Pick<Bus, 'publish'>
  readonly toCommand: ToCommand
  readonly history: HistoryLimits
  readonly placement: PlacementLimits
  readonly onMoved: (because: MoveReason) => void
  readonly onRelayed: (ageMs: number) => void
  readonly mediaStore: SweepPorts['mediaStore']
  readonly onSwept: (swept: Swept) => void
  readonly logger: Logger
}

/** Relays the outbox, places channels and keeps the history short, as long as this process is the leader of all that share the database. */
export function lead(database: Database, ports: LeaderPorts & Pick<MediaLimits, 'busForgets'>): Leader {
  const startedAt = Date.now()
  let placeSoon = () => {}
  const claim = leadership({
    database,
    logger: ports.logger,
    name: 'skipcast-api',
    channel: OUTBOX_CHANNEL,
    lead(session) {
      const term = startTerm({ outbox: outboxOf(session), history: historyOf(session) }, ports)
      const accounts = startLoop(() => keepAccounts(ports, new Date()), { everyMs: ACCOUNTS_EVERY_MS, onError: onErrorOf(ports) })
      const trash = startLoop(() => emptyTrash(ports, ports.settings.trashDays, Date.now()), {
        everyMs: TRASH_EVERY_MS,
        onError: onErrorOf(ports),
      })
      const keepMedia = mediaKeeping(
        ports.stores,
        { trashDays: ports.settings.trashDays, busForgets: ports.busForgets },
        startedAt,
      )
      const media = startLoop(() => keepMedia(Date.now()), { everyMs: MEDIA_EVERY_MS, onError: onErrorOf(ports) })
      let isOver = false
      const sweep = startLoop(async () => ports.onSwept(await sweepMedia(ports, Date.now(), { isOver: () => isOver })), {
        everyMs: SWEEP_EVERY_MS,
        onError: onErrorOf(ports),
      })
      placeSoon = () => term.placeSoon()
      return {
        onNotify: () => term.onNotify(),
        async [Symbol.asyncDispose]() {
          isOver = true
          const ended = Promise.all([accounts, trash, media, sweep].map((loop) => loop[Symbol.asyncDispose]()))
          await term[Symbol.asyncDispose]()
          await Promise.race([ended, sleep(CLOSE_GRACE_MS, undefined, { ref: false })])
        },
      }
    },
  })
  return { placeSoon: () => placeSoon(), [Symbol.asyncDispose]: () => claim[Symbol.asyncDispose]() }
}

/** What one term of a leader is, on the connection that holds the lead. */
export function startTerm(
  session: { readonly outbox: Outbox; readonly history: History },
  ports: Omit<LeaderPorts, 'mediaStore' | 'onSwept'>,
): Leader & { onNotify(): void } {
  const { bus, stores, toCommand, logger } = ports
  const onError = onErrorOf(ports)
  const clock = () => performance.now()
  const { onRelayed } = ports
  const { outbox } = session
  const pass = outboxRelay({ outbox, bus, channels: stores.channels, toCommand, logger, clock, onRelayed })
  const relay = startLoop(pass, { everyMs: RELAY_EVERY_MS, onError })
  const confirmLead = () => outbox.confirmLead()
  const place = placementPass({ ...ports, confirmLead, clock }, ports.placement)
  let nextTurn: NodeJS.Timeout | undefined
  const placement = startLoop(
    async () => {
      if ((await place()) > 0) nextTurn = setTimeout(() => placement.nudge(), NEXT_TURN_MS)
    },
    { everyMs: PLACE_EVERY_MS, onError },
  )
  const history = startLoop(() => keepHistory(session.history, ports.history, Date.now()), {
    everyMs: HISTORY_EVERY_MS,
    onError,
  })
  return {
    placeSoon: () => placement.nudge(),
    onNotify: () => relay.nudge(),
    async [Symbol.asyncDispose]() {
      clearTimeout(nextTurn)
      const ended = Promise.all([relay, placement, history].map((loop) => loop[Symbol.asyncDispose]()))
      // A bus that is away may take long to say so; what it was given is still in the outbox.
      await Promise.race([ended, sleep(CLOSE_GRACE_MS, undefined, { ref: false })])
      ports.health.report('failover', null) // another's business now
    },
  }
}

function onErrorOf({ logger }: Pick<LeaderPorts, 'logger'>): (error: unknown) => void {
  return (error) => logger.warn({ problem: messageOf(error) }, 'the leader could not do its work; it tries again')
}

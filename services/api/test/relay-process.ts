import { flushCompileCache } from 'node:module'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { openDatabase, openStores, type ToCommand } from '@skipcast/db'
import { healthBoard, silentLogger } from '@skipcast/runtime'
import { toStreamCommand } from '../src/domain/stream-command.ts'
import { lead } from '../src/lead.ts'

/** What the test tells the process first. */
export interface RelayOrder {
  readonly databaseUrl: string
  readonly broker: string
}

/** A small process that leads as the role `api` does, and tells its parent of the first command that it relayed. It is made to be killed. */
flushCompileCache() // Node would write it when a process ends by itself
process.once('message', ({ databaseUrl, broker }: RelayOrder) => {
  const logger = silentLogger()
  const database = openDatabase(databaseUrl, { logger })
  const origin = { application: 'skipcast', environment: 'test' }
  const toCommand: ToCommand = (channel, tracks, at) =>
    toStreamCommand({ origin, signingKey: 'k'.repeat(32), lastTold: () => undefined }, channel, tracks, at)
  let told = false
  lead(database, {
    stores: openStores(database, { toCommand }),
    fleet: { sight: () => ({ kind: 'unknown' }), heardAt: () => null, list: () => [] },
    mediaStore: { async remove() {}, stat: async () => null, async *list() {}, removeUnfinished: async () => 0 },
    random: Math.random,
    bus: kafkaBus(busEnv.parse({ KAFKA_BROKER: broker }), { logger, health: healthBoard() }),
    toCommand,
    health: healthBoard(),
    settings: { maxSilentPercent: 50, trashDays: 30 },
    placement: { urgentPerSecond: 100, plannedPerSecond: 100 },
    onMoved: () => {},
    onSwept: () => {},
    history: { listenersDays: 400, trackPlaysDays: 400 },
    busForgets: false,
    onRelayed() {
      if (!told) process.send!('relaying')
      told = true
    },
    logger,
  })
})
process.once('disconnect', () => process.exit(0))

import type { Database } from '@skipcast/db'
import { messageOf, startLoop, type HealthBoard, type Logger } from '@skipcast/runtime'

const ASK_EVERY_MS = 1000
/** Until it has answered once: nothing works before that. */
const ASK_AT_FIRST_EVERY_MS = 100

/**
 * Asks the database again and again how it is, tells `health` as `database`, and calls `prepare` until it has succeeded once. An outage
 * is two lines in the log.
 */
export function keepDatabase(
  database: Pick<Database, 'ping'>,
  prepare: () => Promise<void>,
  { health, logger }: { readonly health: HealthBoard; readonly logger: Logger },
): AsyncDisposable {
  let isPrepared = false
  let told: string | null = null
  const tell = (problem: string | null) => {
    health.report('database', problem)
    if (problem === told) return
    if (problem === null) logger.info('the database answers')
    else if (isPrepared) logger.warn({ problem }, 'the database is away')
    else logger.info({ problem }, 'waiting for the database')
    told = problem
  }
  const pass = async () => {
    if (!isPrepared) await prepare()
    isPrepared = true
    await database.ping()
    tell(null)
  }
  health.report('database', 'not asked yet')
  const loop = startLoop(pass, {
    everyMs: ASK_EVERY_MS,
    onError(error) {
      tell(messageOf(error))
      if (!isPrepared) setTimeout(() => loop.nudge(), ASK_AT_FIRST_EVERY_MS).unref()
    },
  })
  return loop
}

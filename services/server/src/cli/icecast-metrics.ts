import { busEnv, openBus, type ServiceContext } from '@skipcast/bus'
import { metricsEnv, pollOnce } from '@skipcast/metrics'
import { createLogger, healthBoard, meters, openHome, readConfig } from '@skipcast/runtime'
import { serverEnv } from '../config.ts'
import { chooseTransport } from '../transport.ts'
import { DONE, type Call, type Command } from './command.ts'
import { runRoles } from './up.ts'

export const icecastMetrics: Command = {
  name: 'icecast:metrics',
  takes: '[--once]',
  summary:
    'Run the role metrics alone: publish the listener numbers of Icecast to Kafka. With --once: one poll, published and printed as JSON lines.',
  arguments: [0, 0],
  options: { once: { type: 'boolean' } },
  run: (call) =>
    call.options['once'] === true ? pollAndPrint(call) : runRoles({ ...call.environment, SERVER_ROLES: 'metrics' }),
}

/** Beside a role metrics that may run: it takes no lock, and a number told twice is the same number. */
async function pollAndPrint({ environment, terminal }: Call): Promise<number> {
  const { server, bus: busConfig, metrics } = readConfig({ server: serverEnv, bus: busEnv, metrics: metricsEnv }, environment)
  const logger = createLogger({ level: 'silent' })
  const health = healthBoard()
  const home = await openHome(server.home)
  const transport = await chooseTransport(new Set(['metrics']), busConfig, undefined, home, logger)
  await using bus = openBus(transport.bus, { logger, health })
  await bus.ping()
  const context: ServiceContext = {
    bus,
    home,
    logger,
    health,
    meters: meters(),
    serverId: server.serverId,
    onStop: 'stop',
    origin: { application: 'skipcast', environment: server.environment },
  }
  const { published, problems } = await pollOnce(metrics, context)
  for (const problem of problems) terminal.note(problem)
  for (const metric of published) terminal.print(JSON.stringify(metric))
  if (published.length === 0) terminal.note('Icecast has no channel now.')
  return DONE
}

import { join } from 'node:path'
import { apiEnv, startApi } from '@skipcast/api'
import { busEnv, openBus, type ServiceContext } from '@skipcast/bus'
import { icecastEnv, startIcecast } from '@skipcast/icecast'
import { kafkaAvailability, kafkaEnv, startKafka } from '@skipcast/kafka'
import { agentEnv, startAgent } from '@skipcast/liquidsoap-agent'
import { metricsEnv, startMetrics } from '@skipcast/metrics'
import {
  AppError,
  createLogger,
  healthBoard,
  openHome,
  readConfig,
  type Environment,
  type Home,
  type Logger,
} from '@skipcast/runtime'
import { serverEnv, type Role, type ServerConfig } from './config.ts'
import { demoChannel } from './demo-channel.ts'
import { lockRoles } from './role-locks.ts'
import { welcome } from './welcome.ts'

/**
 * Starts the roles that `SERVER_ROLES` names in this process, each with only its own routes, consumers, timers and children.
 *
 *   kafka ─► bus ─► icecast, api, metrics, liquidsoap   (closed in reverse order)
 *
 * Rejects with CONFIG_INVALID (all problems of all roles at once), PORT_TAKEN, CONFLICT (the home is in use).
 */
export async function startServer(environment: Environment, stop: AbortSignal): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const { server, ...config } = readAllConfigs(environment)
  const logger = createLogger({ level: server.log.level, pretty: (server.log.format ?? defaultLogFormat()) === 'pretty' })
  const home = await openHome(server.home)
  owned.use(await lockRoles(home, server.roles))
  const health = healthBoard()
  const platform = { home, health, serverId: server.serverId, onStop: server.onStop }
  const origin = { application: 'skipcast', environment: server.environment }
  const named = (service: string) => ({ ...platform, origin, logger: logger.child({ service }) })

  const transport = await chooseTransport(server.roles, config, home, logger)
  if (transport.runBroker) owned.use(await startKafka(config.kafka!, named('kafka')))
  const bus = owned.use(openBus(transport.bus, named('bus')))
  const context = (service: string): ServiceContext => ({ ...named(service), bus })

  if (config.icecast) owned.use(await startIcecast(config.icecast, context('icecast')))
  if (config.api) owned.use(await startApi(config.api, context('api')))
  if (config.metrics) owned.use(await startMetrics(config.metrics, context('metrics')))
  if (config.agent) owned.use(await startAgent(config.agent, context('liquidsoap')))
  logger.info(`started ${[...server.roles].join(', ')}`)

  if (server.demoChannel && config.api) void greet(config.api.port, home, logger, stop)
  return owned.move()
}

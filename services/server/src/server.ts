import { join } from 'node:path'
import { startApi } from '@skipcast/api'
import { openBus, type ServiceContext } from '@skipcast/bus'
import { startIcecast } from '@skipcast/icecast'
import { startKafka } from '@skipcast/kafka'
import { startAgent } from '@skipcast/liquidsoap-agent'
import { startMetrics } from '@skipcast/metrics'
import { createLogger, healthBoard, messageOf, openHome, type Environment } from '@skipcast/runtime'
import { readConfigs } from './configs.ts'
import { demoChannel } from './demo-channel.ts'
import { lockRoles } from './role-locks.ts'
import { chooseTransport } from './transport.ts'
import { welcome } from './welcome.ts'

/**
 * Starts the roles that `SERVER_ROLES` names in this process, each with only its own routes, consumers, timers and children.
 *
 *   kafka ─► bus ─► api, icecast, metrics, liquidsoap   (closed in reverse order)
 *
 * Rejects with CONFIG_INVALID (all problems of all roles at once), PORT_TAKEN, or CONFLICT (the home is in use).
 */
export async function startServer(environment: Environment): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const { server, bus: busConfig, roles } = readConfigs(environment)
  const logger = createLogger({ level: server.log.level, pretty: server.log.format === 'pretty' })
  const home = await openHome(server.home)
  owned.use(await lockRoles(home, server.roles))
  const platform = {
    home,
    health: healthBoard(),
    serverId: server.serverId,
    onStop: server.onStop,
    origin: { application: 'skipcast', environment: server.environment },
  }

  const transport = await chooseTransport(server.roles, busConfig, roles.kafka, home, logger)
  if (transport.runBroker) owned.use(await startKafka(roles.kafka!, { ...platform, logger }))
  const bus = owned.use(openBus(transport.bus, { ...platform, logger }))
  const context: ServiceContext = { ...platform, logger, bus }

  const api = roles.api && owned.use(await startApi(roles.api, context))
  if (roles.icecast) owned.use(await startIcecast(roles.icecast, context))
  if (roles.metrics) owned.use(await startMetrics(roles.metrics, context))
  if (roles.liquidsoap) owned.use(await startAgent(roles.liquidsoap, context))
  logger.info({ roles: [...server.roles], home: home.path }, 'started')

  if (server.demoChannel && api) {
    void demoChannel(api.url, home, logger)
      .then((demo) => process.stdout.write(welcome({ apiUrl: api.url, tokenFile: join(home.path, 'admin-token'), demo })))
      .catch((error: unknown) => logger.error(`The demo channel is not on air: ${messageOf(error)}`))
  }
  const running = owned.move()
  return { [Symbol.asyncDispose]: () => running.disposeAsync() }
}

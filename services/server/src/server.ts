import { join } from 'node:path'
import { startApi } from '@skipcast/api'
import { meteredBus, openBus, type ServiceContext } from '@skipcast/bus'
import { startIcecast } from '@skipcast/icecast'
import { startKafka } from '@skipcast/kafka'
import { startAgent } from '@skipcast/liquidsoap-agent'
import { startMedia } from '@skipcast/media'
import { startMetrics } from '@skipcast/metrics'
import { createLogger, healthBoard, messageOf, meters, openHome, type Environment } from '@skipcast/runtime'
import { readConfigs } from './configs.ts'
import { demoChannel } from './demo-channel.ts'
import { startProbes } from './probes.ts'
import { publicPorts, requirePorts } from './public-ports.ts'
import { lockRoles } from './role-locks.ts'
import { chooseTransport } from './transport.ts'
import { welcome } from './welcome.ts'

/** On the health board, as a dependency: each part reports itself only once it is looked after. */
const START = 'start'

/**
 * Starts the roles that `SERVER_ROLES` names in this process, each with only its own routes, consumers, timers and children.
 *
 *   kafka ─► bus ─► api, media, icecast, metrics, liquidsoap   (closed in reverse order)
 *
 * Rejects with CONFIG_INVALID (all problems of all roles at once), PORT_TAKEN (all ports at once), CONFLICT (the home is in use), or what `stop`
 * was aborted with; nothing is left running then.
 */
export async function startServer(environment: Environment, stop: AbortSignal): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const { server, bus: busConfig, roles } = readConfigs(environment)
  const logger = createLogger({ level: server.log.level, pretty: server.log.format === 'pretty' })
  const home = await openHome(server.home)
  owned.use(await lockRoles(home, server.roles))
  const health = healthBoard()
  health.report(START, 'not everything has been started yet')
  const platform = {
    home,
    health,
    meters: meters(),
    serverId: server.serverId,
    onStop: server.onStop,
    origin: { application: 'skipcast', environment: server.environment },
  }

  await requirePorts(home.path, publicPorts(server, roles))
  if (server.probes) owned.use(await startProbes(server.probes, platform))
  const transport = await chooseTransport(server.roles, busConfig, roles.kafka, home, logger, stop)
  const broker = transport.runBroker ? owned.use(await startKafka(roles.kafka!, { ...platform, logger })) : null
  stop.throwIfAborted()
  const isBrokerStarting = () => broker?.isStarting === true
  const bus = meteredBus(owned.use(openBus(transport.bus, { ...platform, logger, isBrokerStarting })), platform.meters)
  const context: ServiceContext = { ...platform, logger, bus }

  const api = roles.api && owned.use(await startApi(roles.api, context))
  if (roles.media) owned.use(await startMedia(roles.media, context))
  if (roles.icecast) owned.use(await startIcecast(roles.icecast, context))
  stop.throwIfAborted()
  if (roles.metrics) owned.use(await startMetrics(roles.metrics, context))
  if (roles.liquidsoap) owned.use(await startAgent(roles.liquidsoap, context))
  health.report(START, null)
  logger.info({ roles: [...server.roles], home: home.path }, 'started')

  if (server.demoChannel && api) {
    void demoChannel(api.url, home, logger)
      .then((demo) => process.stdout.write(welcome({ apiUrl: api.url, tokenFile: join(home.path, 'admin-token'), demo })))
      .catch((error: unknown) => logger.error(`The demo channel is not on air: ${messageOf(error)}`))
  }
  const running = owned.move()
  return {
    async [Symbol.asyncDispose]() {
      logger.info(server.onStop === 'stop' ? 'stopping everything' : 'stopping; what listeners hear goes on')
      await running.disposeAsync()
      logger.info('stopped')
    },
  }
}

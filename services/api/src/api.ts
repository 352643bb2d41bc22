import { join } from 'node:path'
import type { ServiceContext } from '@skipcast/bus'
import {
  leadership,
  localPostgres,
  migrate,
  openDatabase,
  openStores,
  outboxOf,
  OUTBOX_CHANNEL,
  type Database,
  type ToCommand,
} from '@skipcast/db'
import { AppError, childUser, messageOf, startLoop, type Loop } from '@skipcast/runtime'
import { busWatch } from './adapters/bus-watch.ts'
import { ffmpeg } from './adapters/ffmpeg.ts'
import { fleet } from './adapters/fleet.ts'
import { mediaFiles } from './adapters/media-files.ts'
import type { ApiConfig } from './config.ts'
import { toStreamCommand } from './domain/stream-command.ts'
import { buildApp, type App } from './http/app.ts'
import { makeAdministrator } from './make-administrator.ts'
import { placeChannels } from './place-channels.ts'
import type { ApiPorts } from './ports.ts'
import { outboxRelay } from './relay-outbox.ts'

export { apiEnv, type ApiConfig } from './config.ts'

/** The running role `api`. */
export interface Api extends AsyncDisposable {
  /** Where it listens: `http://host:port`. */
  readonly url: string
}

const RELAY_EVERY_MS = 1000
const PLACE_EVERY_MS = 1000
const ASK_DATABASE_EVERY_MS = 1000

/**
 * Starts the role `api`:
 *
 *   HTTP ─► stores (PostgreSQL) ─► outbox ─► relay ─► bus        placement ─► stores
 *     ▲                                      └──── the leader alone ────┘
 *     └── views ◄─ stream status, heartbeats (bus), listener counts (bus ─► stores)
 *
 * It listens before PostgreSQL or the bus are there, says so (503, `/readyz`), and goes on by itself when they come.
 * Rejects with PORT_TAKEN.
 */
export async function startApi(config: ApiConfig, context: ServiceContext, overrides: Partial<ApiPorts> = {}): Promise<Api> {
  const { bus, home, health, logger, origin, serverId } = context
  await using owned = new AsyncDisposableStack()
  health.report('database', 'not asked yet')
  health.report('bus', 'not asked yet')

  const user = childUser()
  const local = config.databaseUrl === undefined ? owned.use(await localPostgres(home, { logger, onStop: context.onStop })) : null
  const database = owned.use(openDatabase(config.databaseUrl ?? local!.url, { logger }))
  const signingKey = config.signingKey ?? (await home.secret('source-signing-key'))
  const toCommand: ToCommand = (channel, tracks, at) => toStreamCommand({ origin, signingKey }, channel, tracks, at)
  const stores = openStores(database, { toCommand })

  let placement: Loop | undefined
  const servers = owned.use(
    fleet(bus, owned.use(busWatch(bus, health)), {
      silentAfterMs: config.serverSilentAfterMs,
      onChange: () => placement?.nudge(),
    }),
  )
  const ports: ApiPorts = {
    stores,
    fleet: servers,
    statuses: owned.use(bus.watch('streamStatus')).values,
    audio: ffmpeg({ format: config.airFormat, user }),
    mediaFiles: await mediaFiles({ path: config.mediaPath ?? join(home.path, 'media'), serverId, user }),
    health,
    random: Math.random,
    settings: { listenUrl: config.listenUrl, mediaMaxBytes: config.mediaMaxBytes, bitrateKbps: config.airFormat.bitrateKbps },
    ...overrides,
  }

  const app = await buildApp(ports, { logger })
  owned.defer(() => app.close())
  await listen(app, config)

  owned.use(
    bus.consume({
      topic: 'listenerMetrics',
      group: 'api',
      handle: ({ channel_id, count, peak, occurred_at }) =>
        stores.listenerCounts.record({ channelId: channel_id, count, peak, observedAt: new Date(occurred_at) }),
    }),
  )

  /** What only one process does at a time, and only with a database that is set up. */
  const lead = () =>
    leadership({
      url: database.url,
      logger,
      name: 'skipcast-api',
      channel: OUTBOX_CHANNEL,
      lead(session) {
        const onError = (error: unknown) =>
          logger.warn({ problem: messageOf(error) }, 'the leader could not do its work; it tries again')
        const clock = () => performance.now()
        const pass = outboxRelay({ outbox: outboxOf(session), bus, channels: stores.channels, toCommand, logger, clock })
        const relay = startLoop(pass, { everyMs: RELAY_EVERY_MS, onError })
        placement = startLoop(() => placeChannels(ports), { everyMs: PLACE_EVERY_MS, onError })
        const placing = placement
        return {
          onNotify: () => relay.nudge(),
          async [Symbol.asyncDispose]() {
            await Promise.all([relay[Symbol.asyncDispose](), placing[Symbol.asyncDispose]()])
          },
        }
      },
    })
  const leading = owned.use(new AsyncDisposableStack())
  const prepare = async () => {
    await migrate(database.url, { logger })
    await makeAdministrator(stores.accounts, { home: home.path, serverId })
    leading.use(lead())
  }
  owned.use(keepDatabase(database, prepare, context))

  logger.info({ url: urlOf(config) }, 'the API listens')
  const stack = owned.move()
  return { url: urlOf(config), [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Asks the database again and again how it is, and prepares it when it answers for the first time. */
function keepDatabase(database: Database, prepare: () => Promise<void>, { health, logger }: ServiceContext): AsyncDisposable {
  let isPrepared = false
  let told: string | null = null
  const tell = (problem: string | null) => {
    health.report('database', problem)
    if (problem === told) return
    if (problem === null) logger.info('the database answers')
    else logger.warn({ problem }, 'the database can not be used')
    told = problem
  }
  const pass = async () => {
    if (!isPrepared) await prepare()
    isPrepared = true
    await database.ping()
    tell(null)
  }
  return startLoop(pass, { everyMs: ASK_DATABASE_EVERY_MS, onError: (error) => tell(messageOf(error)) })
}

async function listen(app: App, { host, port }: ApiConfig): Promise<void> {
  await app.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause
    throw new AppError('PORT_TAKEN', `Port ${port} is taken by another program. Choose another with API_PORT.`, { cause })
  })
}

function urlOf({ host, port }: ApiConfig): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

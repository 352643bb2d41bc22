import type { ServiceContext } from '@skipcast/bus'
import { localPostgres, migrate, openDatabase, openStores, sharedLocks, type ToCommand, type TrackPlayStore } from '@skipcast/db'
import { signListenToken, type StreamEvent } from '@skipcast/contracts'
import { mediaPath, openMediaStore } from '@skipcast/media-store'
import { AppError, isAppError, messageOf, ownStalls, startLoop, type Logger } from '@skipcast/runtime'
import { betterAuthLogIns } from './adapters/better-auth/log-ins.ts'
import { busWatch } from './adapters/bus-watch.ts'
import { fleet } from './adapters/fleet.ts'
import { incomingFiles } from './adapters/incoming-files.ts'
import { mediaLinks } from './adapters/media-links.ts'
import { newestStatuses } from './adapters/newest-statuses.ts'
import { sealedMails } from './adapters/sealed-mails.ts'
import { smtpPostbox } from './adapters/smtp-postbox.ts'
import { uploadFiles } from './adapters/upload-files.ts'
import { viewCounter } from './count-views.ts'
import type { ApiConfig } from './config.ts'
import { toStreamCommand } from './domain/stream-command.ts'
import { buildApp } from './http/app.ts'
import type { App } from './http/app-type.ts'
import { keepDatabase } from './keep-database.ts'
import { sweepUploads } from './finish-upload.ts'
import { lead, type Leader } from './lead.ts'
import { makeAdministrator } from './make-administrator.ts'
import { mediaNews } from './media-news.ts'
import type { ApiPorts } from './ports.ts'
import { mediaEventRecorder } from './record-media-event.ts'
import { mailSender, mailWriter } from './send-mails.ts'
import { apiFacts } from './facts.ts'
import { apiTelemetry } from './telemetry.ts'

export { apiEnv, type ApiConfig } from './config.ts'

const CLOSE_GRACE_MS = 3000
const SWEEP_UPLOADS_EVERY_MS = 60_000

/** The running role `api`. */
export interface Api extends AsyncDisposable {
  /** Where it listens: `http://host:port`. */
  readonly url: string
}

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
  const { bus, home, health, logger, meters, origin, serverId } = context
  await using owned = new AsyncDisposableStack()

  const local = config.databaseUrl === undefined ? owned.use(await localPostgres(home, { logger, onStop: context.onStop })) : null
  const database = owned.use(openDatabase(config.databaseUrl ?? local!.url, { logger }))
  const signingKey = config.signingKey ?? (await home.secret('source-signing-key'))
  const told = owned.use(bus.watch('streamStatus'))
  const statuses = newestStatuses(told)
  const commandContext = { origin, signingKey, lastTold: (channelId: string) => statuses.values.get(channelId) }
  const toCommand: ToCommand = (channel, tracks, at) => toStreamCommand(commandContext, channel, tracks, at)
  const stores = openStores(database, { toCommand })

  let leader: Leader | undefined
  /** Who fell silent is news to all who follow the streams, as is what agents tell. */
  const followers = new Set<() => void>()
  const hearing = owned.use(busWatch(bus))
  const servers = fleet(bus, hearing, {
    silentAfterMs: config.serverSilentAfterMs,
    graceMs: config.serverGraceMs,
    stalls: owned.use(ownStalls({ steadyMs: () => performance.now() })),
    onChange() {
      leader?.placeSoon()
      for (const listener of followers) listener()
    },
  })
  owned.use(servers)
  const settings = {
    listenUrl: config.listenUrl,
    listenUrlMinutes: config.listenUrlMinutes,
    mediaMaxBytes: config.mediaMaxBytes,
    mediaQuotaBytes: config.mediaQuotaBytes,
    channelsPerUser: config.channelsPerUser,
    trashDays: config.trashDays,
    bitrateKbps: config.airFormat.bitrateKbps,
    maxEventClients: config.maxEventClients,
    maxEventClientsPerAddress: config.maxEventClientsPerAddress,
    requestsPerMinute: config.requestsPerMinute,
    trustedProxies: config.trustedProxies,
    maxSilentPercent: config.maxSilentPercent,
    publicUrl: config.publicUrl,
    triesPerAddress: config.triesPerAddress,
    triesPerAccount: config.triesPerAccount,
  }
  const secret = config.accountsSecret ?? (await home.secret('accounts-key'))
  const sealer = sealedMails(secret)
  const startedAt = Date.now()
  const deafSince = () => hearing.deafSince ?? (told.isCaughtUp ? null : startedAt)
  const facts = apiFacts({ stores, fleet: servers, statuses: statuses.values, deafSince, settings })
  const telemetry = apiTelemetry(meters, facts)
  const ports: ApiPorts = {
    stores,
    fleet: servers,
    statuses: statuses.values,
    deafSince,
    onStatusChange(listener) {
      followers.add(listener)
      const stop = statuses.onChange(listener)
      return () => {
        followers.delete(listener)
        stop()
      }
    },
    logIns: betterAuthLogIns({
      ...config,
      secret,
      rows: stores.accountRows,
      accounts: stores.accounts,
      sendMail: mailWriter({ sealer, accounts: stores.accounts, origin }),
      logger,
    }),
    jobs: { origin, airFormat: config.airFormat },
    mediaNews: mediaNews(),
    incomingFiles: await incomingFiles({ path: mediaPath(config.mediaStore, home), serverId }),
    uploadFiles: await uploadFiles({ path: mediaPath(config.mediaStore, home) }),
    locks: owned.use(sharedLocks(database)),
    mediaStore: await openMediaStore(config.mediaStore, home),
    origin,
    viewers: viewCounter(stores.opinions, secret, Date.now),
    listenToken: (channelId, expiresAt) =>
      signListenToken(signingKey, { channelId, expiresAt: Math.floor(expiresAt.getTime() / 1000) }),
    mediaLinks: mediaLinks(secret),
    health,
    meters,
    telemetry,
    random: Math.random,
    settings,
    ...overrides,
  }

  const app = await buildApp(ports, { logger })
  owned.defer(() => close(app))
  await listen(app, config)
  owned.use(
    bus.consume({
      topic: 'listenerMetrics',
      group: config.consumerGroup,
      handle: ({ channel_id, count, peak, occurred_at }) =>
        stores.listenerCounts.record({ channelId: channel_id, count, peak, observedAt: new Date(occurred_at) }),
    }),
  )
  owned.use(
    bus.consume({
      topic: 'streamEvents',
      group: `${config.consumerGroup}-track-plays`,
      handle: (event) => recordTrackPlay(stores.trackPlays, event),
    }),
  )
  owned.use(
    bus.consume({ topic: 'mediaEvents', group: `${config.consumerGroup}-media-events`, handle: mediaEventRecorder(ports) }),
  )
  if (config.smtp) {
    const postbox = owned.use(smtpPostbox(config.smtp.url, config.smtp.from))
    const handle = mailSender({ sealer, postbox, logger, clock: Date.now })
    owned.use(bus.consume({ topic: 'mails', group: `${config.consumerGroup}-mails`, handle }))
  } else logger.info('mails are kept for two days, not sent: set SMTP_URL and MAIL_FROM')
  const leading = owned.use(new AsyncDisposableStack())
  const prepare = async () => {
    await migrate(database.url, { logger })
    await makeAdministrator(stores.accounts, { home: home.path, serverId })
    leader = leading.use(
      lead(database, {
        ...ports,
        bus,
        toCommand,
        history: config.history,
        busForgets: bus.kind === 'memory',
        placement: config.placement,
        onRelayed: telemetry.relayed,
        onMoved: telemetry.moved,
        onSwept(swept) {
          telemetry.swept(swept)
          if (swept.removed + swept.unfinished > 0) logger.info({ ...swept }, 'files that no piece names were removed')
        },
        logger,
      }),
    )
  }
  owned.use(sweeper(ports, logger))
  owned.use(keepDatabase(database, prepare, { health, logger }))

  const running = owned.move()
  return { url: urlOf(config), [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Uploads whose process died over them, and what is left of others. */
function sweeper(ports: ApiPorts, logger: Logger): AsyncDisposable {
  const onError = (error: unknown) => {
    if (isAppError(error, 'DATABASE_UNAVAILABLE')) return // which is told already
    logger.warn({ problem: messageOf(error) }, 'uploads could not be looked through; it is tried again')
  }
  return startLoop(() => sweepUploads(ports, new Date(), onError), { everyMs: SWEEP_UPLOADS_EVERY_MS, onError })
}

/** The as-run log; what else happened concerns others. */
async function recordTrackPlay(trackPlays: TrackPlayStore, event: StreamEvent): Promise<void> {
  if (event.event !== 'track_started') return
  await trackPlays.record({
    id: event.track_play_id,
    channelId: event.channel_id,
    mediaId: event.media_id,
    title: event.title,
    artist: event.artist,
    serverId: event.server_id,
    startedAt: new Date(event.started_at),
  })
}

async function listen(app: App, { host, port }: ApiConfig): Promise<void> {
  await app
    .listen({ host, port, listenTextResolver: (url) => `the API listens on ${url}` })
    .catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE') throw cause
      throw new AppError('PORT_TAKEN', `Port ${port} is taken by another program. Choose another with API_PORT.`, { cause })
    })
}

/** Requests that run may end; an upload that would take longer is cut off, and nothing of it stays. */
async function close(app: App): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS)
  await app.close().finally(() => clearTimeout(limit))
}

function urlOf({ host, port }: ApiConfig): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

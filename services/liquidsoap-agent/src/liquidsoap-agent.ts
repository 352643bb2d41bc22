import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServiceContext } from '@skipcast/bus'
import { openMediaStore, type MediaStore } from '@skipcast/media-store'
import { AppError, childUser, messageOf, ownStalls, runCommand, type ChildUser } from '@skipcast/runtime'
import { diskJournal } from './adapters/disk-journal.ts'
import { engineHost } from './adapters/engine-host.ts'
import { localHost } from './adapters/local-host.ts'
import { mediaCache } from './adapters/media-cache.ts'
import { memoryFile } from './adapters/memory-file.ts'
import { mountEars } from './adapters/mount-ear.ts'
import { sshLink } from './adapters/ssh/ssh-link.ts'
import { sshMachine } from './adapters/ssh/ssh-machine.ts'
import { sshMediaCache } from './adapters/ssh/ssh-media-cache.ts'
import type { AgentConfig } from './config.ts'
import type { SshHost } from './config-hosts.ts'
import type { Clock, EngineHost, OpenEar } from './ports.ts'
import { serve, type RunningServer, type Server } from './serve.ts'
import { agentCounters, showFacts, telemetry, type AgentCounters } from './telemetry.ts'

export { checkSshHost } from './adapters/ssh/check-ssh-host.ts'
export { agentEnv, type AgentConfig } from './config.ts'
export { problemCodes } from './domain/problem.ts'

const SCRIPTS = fileURLToPath(new URL('../../../liquidsoap', import.meta.url))

export interface AgentOverrides {
  readonly host?: EngineHost
  readonly store?: MediaStore
  readonly openEar?: OpenEar
  readonly clock?: Clock
}

/**
 * Starts the role `liquidsoap`: makes the engines of its servers match the wanted streams. A server is this machine, or one that is reached over SSH;
 * `serve.ts` has what is done for each.
 *
 * Starts with the bus, Icecast, hosts and even Liquidsoap away, and goes on by itself when they come. Closed with `hand-over`, engines
 * play on for the next agent; with `stop` they end. Rejects with CONFIG_INVALID when two servers have one id.
 */
export async function startAgent(
  config: AgentConfig,
  context: ServiceContext,
  overrides: AgentOverrides = {},
): Promise<AsyncDisposable> {
  const { home, serverId } = context
  if (config.isLocal && config.sshHosts.some(({ id }) => id === serverId))
    throw new AppError(
      'CONFIG_INVALID',
      `A host is called ${serverId}, which is this server's own SERVER_ID: name either otherwise`,
    )
  await using owned = new AsyncDisposableStack()
  const counters = agentCounters(context.meters)
  const clock = overrides.clock ?? { wallMs: () => Date.now(), steadyMs: () => performance.now() }
  const stalls = owned.use(ownStalls(clock))
  const directory = await home.directory('agent', { mode: 0o711 })
  const store = overrides.store ?? (await openMediaStore(config.mediaStore, home))
  const journal = owned.use(
    await diskJournal(await home.directory('agent/journal'), context.bus, telemetry(context.logger, counters)),
  )
  const commands = owned.use(context.bus.watch('streamCommands'))
  const openEar = overrides.openEar ?? mountEars({ ...config.icecast, now: () => clock.steadyMs() })
  const parts = { config, context, commands, journal, openEar, clock, stalls }

  const shared = { config, context, store, counters, directory }
  const makers: ((own: AsyncDisposableStack) => Promise<Server>)[] = [
    ...(config.isLocal ? [(own: AsyncDisposableStack) => localServer(shared, overrides.host, own)] : []),
    ...config.sshHosts.map((each) => (own: AsyncDisposableStack) => sshServer(shared, each, own)),
  ]
  const started: { server: Server; running: RunningServer }[] = []
  const together = owned.use(disposedTogether())
  for (const make of makers) {
    await using own = new AsyncDisposableStack()
    const server = await make(own)
    started.push({ server, running: own.use(serve(server, parts)) })
    together.add(own.move())
  }

  showFacts(context.meters, {
    phases: () => started.flatMap(({ running }) => running.phases()),
    engines: () => started.flatMap(({ running }) => running.observed().engines),
    cacheBytes: async () => {
      const sizes = await Promise.allSettled(started.map(({ server }) => server.cache.sizeBytes()))
      return sizes.reduce((sum, size) => sum + (size.status === 'fulfilled' ? size.value : 0), 0)
    },
  })
  return owned.move()
}

interface Shared {
  readonly config: AgentConfig
  readonly context: ServiceContext
  readonly store: MediaStore
  readonly counters: AgentCounters
  /** `agent` in the home. */
  readonly directory: string
}

/** This machine, with what must be closed in `own`. */
async function localServer(
  { config, context, store, counters, directory }: Shared,
  override: EngineHost | undefined,
  own: AsyncDisposableStack,
): Promise<Server> {
  const owner = childUser()
  const { icecast, limits, liquidsoap } = config
  const cache = mediaCache(await context.home.directory('agent/cache', { mode: 0o711 }), store, config.media)
  const pathOf = (sha256: string) => cache.pathOf(sha256)
  const host = own.use(
    override ?? (await localHost({ directory, scripts: SCRIPTS, ...liquidsoap, limits, icecast, owner, pathOf })),
  )
  const memory = await memoryFile(join(directory, 'channels.json'))
  const found = versions(liquidsoap.program, owner)
  const tell = telemetry(context.logger, counters)
  return { id: context.serverId, dependency: 'liquidsoap', host, cache, memory, ...config.server, versions: () => found, tell }
}

/** A host that is reached over SSH, with what must be closed in `own`. */
async function sshServer(
  { config, context, store, counters }: Shared,
  each: SshHost,
  own: AsyncDisposableStack,
): Promise<Server> {
  const tell = telemetry(context.logger.child({ host: each.id }), counters)
  const found: Record<string, string> = {}
  const onVersion = (text: string) => (found['liquidsoap'] = versionIn(text))
  const directory = await context.home.directory(`agent/hosts/${each.id}`)
  const { limits, media, liquidsoap } = config
  const link = own.use(sshLink({ target: each.target, tell }))
  const machine = sshMachine({ link, scripts: SCRIPTS, logLevel: liquidsoap.logLevel, limits, onVersion })
  const host = own.use(engineHost(machine, each))
  const cache = await sshMediaCache({
    link,
    store,
    directory: join(directory, 'sending'),
    reserveBytes: media.reserveBytes,
    tell,
  })
  const memory = await memoryFile(join(directory, 'channels.json'))
  return { ...each, dependency: `liquidsoap on ${each.id}`, host, cache, memory, versions: () => found, tell }
}

/** Closes all at once: one that takes its time holds up no other. */
function disposedTogether(): AsyncDisposable & { add(one: AsyncDisposable): void } {
  const all: AsyncDisposable[] = []
  return {
    add: (one) => void all.push(one),
    async [Symbol.asyncDispose]() {
      const ends = await Promise.allSettled(all.map((one) => one[Symbol.asyncDispose]()))
      const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** What runs here; Liquidsoap's version is there a moment later. */
function versions(program: string, user: ChildUser | undefined): Record<string, string> {
  const found: Record<string, string> = { node: process.versions.node }
  runCommand(program, ['--version'], { timeoutMs: 30_000, user }).then(
    ({ stdout }) => {
      found['liquidsoap'] = versionIn(stdout.toString('utf8'))
    },
    (error: unknown) => {
      found['liquidsoap'] = `unknown (${messageOf(error)})`
    },
  )
  return found
}

function versionIn(text: string): string {
  return /^Liquidsoap (\S+)/.exec(text)?.[1] ?? 'unknown'
}

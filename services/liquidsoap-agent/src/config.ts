import { mediaStoreConfig, mediaStoreProblems, mediaStoreVariables } from '@skipcast/media-store'
import { env } from '@skipcast/runtime'
import { z } from 'zod'
import { hostProblems, hostVariables, sshHosts } from './config-hosts.ts'

const MB = 1024 * 1024

/** `k=v,k=v` */
const labels = z
  .string()
  .regex(/^[A-Za-z0-9._-]+=[A-Za-z0-9._-]*(,[A-Za-z0-9._-]+=[A-Za-z0-9._-]*)*$/, 'must look like key=value,key=value')
  .transform((text) => Object.fromEntries(text.split(',').map((pair) => pair.split('=') as [string, string])))

/** What the role `liquidsoap` reads from the environment. */
export const agentEnv = z
  .object({
    ICECAST_HOST: env.host().default('127.0.0.1'),
    ICECAST_PORT: env.port().default(8000),
    LIQUIDSOAP_BIN: z.string().default('liquidsoap'),
    LIQUIDSOAP_LOG_LEVEL: env.integer(1, 5).default(3),
    ENGINE_MEMORY_MB: env.integer(200, 1_000_000).default(4096),
    ENGINE_OPEN_FILES: env.integer(100, 1_000_000).default(4096),
    ENGINE_NICENESS: env.integer(0, 19).default(0),
    CHANNELS_PER_ENGINE: env.integer(1, 100).default(10),
    WARM_ENGINES: env.integer(0, 10).default(1),
    SERVER_CAPACITY: env.integer(0, 100_000).default(100),
    SERVER_LABELS: labels.default({}),
    ...mediaStoreVariables,
    MEDIA_CACHE_MB: env.integer(1, 100_000_000).default(20_000),
    DISK_RESERVE_MB: env.integer(0, 100_000_000).default(256),
    SILENCE_AFTER_MS: env.integer(500, 3_600_000).default(1500),
    AGENT_RESYNC_MS: env.integer(100, 600_000).default(2000),
    ...hostVariables,
  })
  .check(({ value, issues }) => {
    for (const { variable, message } of [...hostProblems(value), ...mediaStoreProblems(value)])
      issues.push({ code: 'custom', path: [variable], message, input: undefined })
  })
  .transform((flat) => ({
    /** Whether this machine runs engines itself. */
    isLocal: flat.LIQUIDSOAP_LOCAL ?? sshHosts(flat).length === 0,
    /** The other machines that this agent runs engines on. */
    sshHosts: sshHosts(flat),
    icecast: { host: flat.ICECAST_HOST, port: flat.ICECAST_PORT },
    liquidsoap: { program: flat.LIQUIDSOAP_BIN, logLevel: flat.LIQUIDSOAP_LOG_LEVEL },
    limits: { memoryBytes: flat.ENGINE_MEMORY_MB * MB, openFiles: flat.ENGINE_OPEN_FILES, niceness: flat.ENGINE_NICENESS },
    engines: { channelsPerEngine: flat.CHANNELS_PER_ENGINE, warmEngines: flat.WARM_ENGINES },
    server: { capacity: flat.SERVER_CAPACITY, labels: flat.SERVER_LABELS },
    mediaStore: mediaStoreConfig(flat),
    media: { cacheMaxBytes: flat.MEDIA_CACHE_MB * MB, reserveBytes: flat.DISK_RESERVE_MB * MB },
    silenceAfterMs: flat.SILENCE_AFTER_MS,
    resyncMs: flat.AGENT_RESYNC_MS,
  }))

export type AgentConfig = z.output<typeof agentEnv>

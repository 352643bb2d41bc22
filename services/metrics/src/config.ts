import { env } from '@skipcast/runtime'
import { z } from 'zod'

/** The variables of role metrics. The password, when not given, is the one that role icecast keeps in the same home. */
export const metricsEnv = z
  .object({
    ICECAST_HOST: env.host().default('127.0.0.1'),
    ICECAST_PORT: env.port().default(8000),
    ICECAST_USER: env.name().default('admin'),
    ICECAST_PASSWORD: z.string().max(200).optional(),
    METRICS_INTERVAL_MS: env.integer(100, 3_600_000).default(1000),
    METRICS_FULL_EVERY_MS: env.integer(1000, 86_400_000).default(60_000),
  })
  .transform((given) => ({
    icecast: {
      host: given.ICECAST_HOST,
      port: given.ICECAST_PORT,
      user: given.ICECAST_USER,
      password: given.ICECAST_PASSWORD,
    },
    intervalMs: given.METRICS_INTERVAL_MS,
    /** How often every channel is told of, changed or not. */
    fullEveryMs: given.METRICS_FULL_EVERY_MS,
  }))
export type MetricsConfig = z.output<typeof metricsEnv>

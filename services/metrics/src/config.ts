import { env } from '@skipcast/runtime'
import { z } from 'zod'

const MOST_ICECASTS = 50

const address = z
  .string()
  .regex(/^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}$/, 'must be host:port, several divided by commas')
  .transform((text) => {
    const colon = text.lastIndexOf(':')
    return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) }
  })
  .refine(({ port }) => port >= 1 && port <= 65_535, 'a port is 1 to 65535')

const addresses = z
  .string()
  .transform((text) => [...new Set(text.split(',').map((one) => one.trim()))])
  .pipe(z.array(address).max(MOST_ICECASTS, `names ${MOST_ICECASTS} at most`))

/** The variables of role metrics. The password, when not given, is the one that role icecast keeps in the same home. */
export const metricsEnv = z
  .object({
    METRICS_ICECASTS: addresses.optional(),
    ICECAST_HOST: env.host().default('127.0.0.1'),
    ICECAST_PORT: env.port().default(8000),
    ICECAST_USER: env.name().default('admin'),
    ICECAST_PASSWORD: z.string().max(200).optional(),
    METRICS_INTERVAL_MS: env.integer(100, 3_600_000).default(1000),
    METRICS_TIMEOUT_MS: env.integer(100, 60_000).default(5000),
    METRICS_FULL_EVERY_MS: env.integer(1000, 86_400_000).default(60_000),
  })
  .transform((given) => ({
    /** All are asked with the same name and password. */
    icecasts: given.METRICS_ICECASTS ?? [{ host: given.ICECAST_HOST, port: given.ICECAST_PORT }],
    user: given.ICECAST_USER,
    password: given.ICECAST_PASSWORD,
    intervalMs: given.METRICS_INTERVAL_MS,
    /** How long one answer may take. */
    timeoutMs: given.METRICS_TIMEOUT_MS,
    /** How often every channel is told of, changed or not. */
    fullEveryMs: given.METRICS_FULL_EVERY_MS,
  }))
export type MetricsConfig = z.output<typeof metricsEnv>

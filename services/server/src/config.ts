import { hostname } from 'node:os'
import { env } from '@skipcast/runtime'
import { z } from 'zod'

export const roles = ['kafka', 'api', 'media', 'icecast', 'metrics', 'liquidsoap'] as const
export type Role = (typeof roles)[number]

const DEFAULT_HOME = './.skipcast'

/** `SERVER_ROLES`: a comma list of roles, or `all`. */
const roleList = z
  .string()
  .default('all')
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  )
  .pipe(
    z
      .array(
        z.enum([...roles, 'all'], {
          error: ({ input }) => `"${String(input)}" is no role; roles are ${roles.join(', ')} and all`,
        }),
      )
      .min(1, `must name at least one of ${roles.join(', ')}, all`),
  )
  .transform((names): ReadonlySet<Role> => new Set(names.flatMap((name) => (name === 'all' ? roles : [name]))))

/** What concerns the process as a whole; each role has a schema of its own. */
export const serverEnv = z
  .object({
    SERVER_ROLES: roleList,
    SERVER_ID: env.name().default(() => hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-')),
    SKIPCAST_HOME: z.string().default(DEFAULT_HOME),
    SKIPCAST_ENVIRONMENT: env.name().default('production'),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    LOG_FORMAT: z.enum(['json', 'pretty']).default('json'),
    ON_STOP: z.enum(['stop', 'hand-over']).default('stop'),
    DEMO_CHANNEL: env.boolean().default(false),
    METRICS_PORT: env.port().optional(),
    METRICS_HOST: env.host().default('127.0.0.1'),
  })
  .transform((flat) => ({
    roles: flat.SERVER_ROLES,
    serverId: flat.SERVER_ID,
    home: flat.SKIPCAST_HOME,
    environment: flat.SKIPCAST_ENVIRONMENT,
    log: { level: flat.LOG_LEVEL, format: flat.LOG_FORMAT },
    onStop: flat.ON_STOP,
    demoChannel: flat.DEMO_CHANNEL,
    /** Absent: none. */
    probes: flat.METRICS_PORT === undefined ? undefined : { host: flat.METRICS_HOST, port: flat.METRICS_PORT },
  }))

export type ServerConfig = z.output<typeof serverEnv>

/** What the command `skipcast` reads, beside the variables of what it starts. */
export const cliEnv = z
  .object({
    SKIPCAST_API: env.url('http:', 'https:').optional(),
    SKIPCAST_TOKEN: z
      .string()
      .regex(/^[\x21-\x7e]{1,500}$/, 'is no token: it has a character that no token has')
      .optional(),
    SKIPCAST_HOME: z.string().default(DEFAULT_HOME),
    API_PORT: env.port().default(3000),
  })
  .transform((flat) => ({
    apiUrl: (flat.SKIPCAST_API ?? `http://127.0.0.1:${flat.API_PORT}`).replace(/\/+$/, ''),
    /** Absent: the administrator's, from the home. */
    token: flat.SKIPCAST_TOKEN,
    home: flat.SKIPCAST_HOME,
  }))

import { apiEnv } from '@skipcast/api'
import { busEnv } from '@skipcast/bus'
import { icecastEnv } from '@skipcast/icecast'
import { kafkaEnv } from '@skipcast/kafka'
import { agentEnv } from '@skipcast/liquidsoap-agent'
import { mediaEnv } from '@skipcast/media'
import { metricsEnv } from '@skipcast/metrics'
import { AppError, readConfig, type Environment } from '@skipcast/runtime'
import type { z } from 'zod'
import { roles, serverEnv, type Role } from './config.ts'
import { publicPorts, sharedPorts } from './public-ports.ts'

/** The schema of each role, by role. */
export const roleEnvs = {
  kafka: kafkaEnv,
  api: apiEnv,
  media: mediaEnv,
  icecast: icecastEnv,
  metrics: metricsEnv,
  liquidsoap: agentEnv,
} as const

export type RoleConfigs = { readonly [R in Role]?: z.output<(typeof roleEnvs)[R]> }

/**
 * The configuration of this process and of each role that it has; a role that it has not is absent, and its variables
 * are not looked at. Throws CONFIG_INVALID with all problems of all of them.
 */
export function readConfigs(environment: Environment) {
  const ofRoles = Object.fromEntries(rolesOf(environment).map((role) => [role, roleEnvs[role]]))
  const { server, bus, ...found } = readConfig({ server: serverEnv, bus: busEnv, ...ofRoles }, environment) as {
    server: z.output<typeof serverEnv>
    bus: z.output<typeof busEnv>
  }
  const configs = found as RoleConfigs
  const shared = sharedPorts(publicPorts(server, configs))
  if (shared.length > 0)
    throw new AppError('CONFIG_INVALID', `${shared.join('; ')}. Choose another one for either.`, { details: shared })
  return { server, bus, roles: configs }
}

/** All of them where `SERVER_ROLES` can't be read: every variable is looked at then. */
function rolesOf(environment: Environment): readonly Role[] {
  try {
    return [...readConfig({ server: serverEnv }, environment).server.roles]
  } catch {
    return roles
  }
}

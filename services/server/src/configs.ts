import { apiEnv } from '@skipcast/api'
import { busEnv } from '@skipcast/bus'
import { icecastEnv } from '@skipcast/icecast'
import { kafkaEnv } from '@skipcast/kafka'
import { agentEnv } from '@skipcast/liquidsoap-agent'
import { metricsEnv } from '@skipcast/metrics'
import { AppError, readConfig, type Environment } from '@skipcast/runtime'
import type { z } from 'zod'
import { roles, serverEnv, type Role } from './config.ts'

/** The schema of each role, by role. */
export const roleEnvs = { kafka: kafkaEnv, api: apiEnv, icecast: icecastEnv, metrics: metricsEnv, liquidsoap: agentEnv } as const

type RoleConfigs = { readonly [R in Role]?: z.output<(typeof roleEnvs)[R]> }

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
  const { api, icecast } = configs
  if (api && icecast && api.port === icecast.port)
    throw new AppError('CONFIG_INVALID', `API_PORT and ICECAST_PORT are both ${api.port}. Choose another one for either.`)
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

import { findDaemon, portIsFree } from '@skipcast/runtime'
import { join } from 'node:path'
import type { Role } from '../config.ts'
import type { readConfigs } from '../configs.ts'
import { holderOf } from '../role-locks.ts'
import { finding, type Finding } from './finding.ts'

/** Whether the ports that others use are free, or in the hands of this home's own processes. */
export async function checkPorts(home: string, roles: ReturnType<typeof readConfigs>['roles']): Promise<Finding[]> {
  const { api, icecast } = roles
  return Promise.all([
    ...(api ? [checkPort(home, 'api', 'API_PORT', api.host, api.port)] : []),
    ...(icecast ? [checkPort(home, 'icecast', 'ICECAST_PORT', icecast.bind, icecast.port)] : []),
    ...(icecast?.front.tls ? [checkPort(home, 'icecast', 'ICECAST_TLS_PORT', icecast.bind, icecast.front.tls.port)] : []),
  ])
}

async function checkPort(home: string, role: Role, variable: string, host: string, port: number): Promise<Finding> {
  if (await portIsFree(port, host)) return { what: `port ${port} (${variable}) is free` }
  return finding(
    `port ${port} (${variable}) is taken`,
    await isOurs(home, role),
    `Another program has it. Stop that one, or choose a free port: ${variable}=…`,
  )
}

/** The front before icecast2 outlives the process that holds its role; the next one adopts it. */
async function isOurs(home: string, role: Role): Promise<boolean> {
  if ((await holderOf(home, role)) !== null) return true
  return role === 'icecast' && (await findDaemon(join(home, 'icecast', 'haproxy.json'))) !== null
}

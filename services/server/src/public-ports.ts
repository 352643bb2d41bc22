import { AppError, findDaemon, whyNotListen } from '@skipcast/runtime'
import { join } from 'node:path'
import type { Role, ServerConfig } from './config.ts'
import type { RoleConfigs } from './configs.ts'

/** A port that others use, and the variable that chooses it. */
export interface PublicPort {
  readonly variable: string
  readonly host: string
  readonly port: number
  /** Absent: it belongs to the process as a whole. */
  readonly role?: Role
}

/** All that a configuration asks for. */
export function publicPorts(server: ServerConfig, { api, icecast }: RoleConfigs): PublicPort[] {
  const tls = icecast?.front.tls
  return [
    ...(server.probes ? [{ variable: 'METRICS_PORT', ...server.probes }] : []),
    ...(api ? [{ role: 'api' as const, variable: 'API_PORT', host: api.host, port: api.port }] : []),
    ...(icecast ? [{ role: 'icecast' as const, variable: 'ICECAST_PORT', host: icecast.bind, port: icecast.port }] : []),
    ...(icecast && tls ? [{ role: 'icecast' as const, variable: 'ICECAST_TLS_PORT', host: icecast.bind, port: tls.port }] : []),
  ]
}

/** The variables that choose the same port, as a sentence for each that is chosen twice. */
export function sharedPorts(ports: readonly PublicPort[]): string[] {
  return [...Map.groupBy(ports, ({ port }) => port)]
    .filter(([, sharing]) => sharing.length > 1)
    .map(([port, sharing]) => `${sharing.map(({ variable }) => variable).join(' and ')} are both ${port}`)
}

/** Whether the front before icecast2 lives, which outlives the process that holds its role; the next one adopts it with its ports. */
export async function isKept(home: string, { role }: PublicPort): Promise<boolean> {
  return role === 'icecast' && (await findDaemon(join(home, 'icecast', 'haproxy.json'))) !== null
}

/** Rejects with PORT_TAKEN, which names all ports that can not be had, before anything long has begun. */
export async function requirePorts(home: string, ports: readonly PublicPort[]): Promise<void> {
  const problems = await Promise.all(
    ports.map(async (each) => {
      const problem = await whyNotListen(each.port, each.host)
      if (!problem || (await isKept(home, each))) return []
      return [`Port ${each.port} ${problem}. Choose another one: ${each.variable}=…`]
    }),
  )
  if (problems.flat().length > 0) throw new AppError('PORT_TAKEN', problems.flat().join('\n'))
}

import { portIsFree } from '@skipcast/runtime'
import { isKept, type PublicPort } from '../public-ports.ts'
import { holderOf } from '../role-locks.ts'
import { finding, type Finding } from './finding.ts'

/** Whether the ports that others use are free, or in the hands of this home's own processes. */
export function checkPorts(home: string, ports: readonly PublicPort[]): Promise<Finding[]> {
  return Promise.all(ports.map((port) => checkPort(home, port)))
}

async function checkPort(home: string, used: PublicPort): Promise<Finding> {
  const { port, variable, host, role } = used
  if (await portIsFree(port, host)) return { what: `port ${port} (${variable}) is free` }
  const isOurs = (role !== undefined && (await holderOf(home, role)) !== null) || (await isKept(home, used))
  return finding(
    `port ${port} (${variable}) is taken`,
    isOurs,
    `Another program has it. Stop that one, or choose a free port: ${variable}=…`,
  )
}

import { checkSshHost, type AgentConfig } from '@skipcast/liquidsoap-agent'
import type { Finding } from './finding.ts'

/** Whether each host of engines that is reached over SSH is there, is the one that was pinned, lets us in, and has Liquidsoap. */
export function checkSshHosts({ sshHosts }: Pick<AgentConfig, 'sshHosts'>): Promise<Finding[]> {
  return Promise.all(
    sshHosts.map(async ({ id, target }): Promise<Finding> => {
      const found = await checkSshHost(target)
      if ('liquidsoap' in found) return { what: `host ${id}: reached, its key is the pinned one, Liquidsoap ${found.liquidsoap}` }
      return {
        what: `host ${id}: ${found.problem}`,
        problem: { cure: 'deploy/ssh/README.md tells how a host is made; deploy/errors.md has each code.' },
      }
    }),
  )
}

import { waitFor } from '@skipcast/runtime'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'
import { lostFaults } from './lost-faults.ts'

const REPLICATED_TIMEOUT_MS = 90_000

/** The victims have a second replica elsewhere when this happens, and have one again before they go back to none. */
export const replicaFaults = {
  silent: withReplicas(lostFaults.silent),
  killed: withReplicas(lostFaults.killed),
} satisfies Record<string, FleetFault>

function withReplicas(fault: FleetFault): FleetFault {
  return {
    ...fault,
    name: `replicas 2: ${fault.name}`,
    prepare: (fleet) => replicate(fleet, 2),
    async inject(fleet) {
      const injury = await fault.inject(fleet)
      return {
        ...injury,
        async mend() {
          await injury.mend()
          await replicate(fleet, 2)
          await replicate(fleet, 1)
        },
      }
    },
  }
}

/** Resolves once each of the victims has so many replicas, all on air. */
async function replicate({ api, victims }: Fleet, replicas: 1 | 2): Promise<void> {
  for (const { slug } of victims) await api.call('PATCH', `/api/channels/${slug}/placement`, { replicas })
  for (const { slug } of victims)
    await waitFor(
      `${slug} to have ${replicas} replicas`,
      async () => {
        const { standby } = (await api.call('GET', `/api/channels/${slug}/stream/status`)).body.stream
        return replicas === 1 ? standby === null : standby?.phase === 'on_air'
      },
      { timeoutMs: REPLICATED_TIMEOUT_MS },
    )
}

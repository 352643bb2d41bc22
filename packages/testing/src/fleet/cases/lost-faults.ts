import { waitFor } from '@skipcast/runtime'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'

const MOVED_TIMEOUT_MS = 60_000

/** Resolves once all channels of agent a have another server and are heard from there. */
export async function untilElsewhere(fleet: Fleet): Promise<void> {
  const isElsewhere = async () => (await fleet.placements(fleet.victims)).every(({ server }) => server !== 'a')
  await waitFor('all to be placed elsewhere', isElsewhere, { timeoutMs: MOVED_TIMEOUT_MS, everyMs: 50 })
  await fleet.settled(MOVED_TIMEOUT_MS)
}

/** Server a, which plays all the victims. */
export const lostFaults = {
  silent: {
    name: 'server lost without a word, and back',
    notice: 'interruption',
    async inject(fleet) {
      const { host } = fleet.agents[0]
      const at = performance.now()
      await host.setLink('down')
      return {
        at,
        touched: fleet.victims,
        meanwhile: () => untilElsewhere(fleet),
        // Its engines play on into nothing: they come back as those who have to give up.
        mend: () => host.setLink('up'),
      }
    },
  },
  killed: {
    name: 'all of a server killed, and started again',
    notice: 'interruption',
    async inject(fleet) {
      const at = performance.now()
      await fleet.agents[0].kill()
      return { at, touched: fleet.victims, meanwhile: () => untilElsewhere(fleet), mend: () => fleet.agents[0].start() }
    },
  },
  frozen: {
    name: 'agent frozen, awake after its channels moved',
    notice: 'interruption',
    async inject(fleet) {
      const at = performance.now()
      fleet.agents[0].signal('SIGSTOP')
      return {
        at,
        touched: fleet.victims,
        meanwhile: () => untilElsewhere(fleet),
        mend: async () => fleet.agents[0].signal('SIGCONT'),
      }
    },
  },
} satisfies Record<string, FleetFault>

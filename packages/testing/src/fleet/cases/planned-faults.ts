import { waitFor } from '@skipcast/runtime'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'
import { untilElsewhere } from './lost-faults.ts'

const EMPTY_TIMEOUT_MS = 90_000

/** What somebody wants: channels leave server a while it plays them. */
export const plannedFaults = {
  drained: {
    name: 'a server drained',
    notice: 'interruption',
    async inject(fleet) {
      const at = performance.now()
      await fleet.api.call('POST', '/api/servers/a/drain')
      return {
        at,
        touched: fleet.victims,
        async meanwhile() {
          await waitFor('a to be empty', async () => (await fleet.server('a')).channels === 0, { timeoutMs: EMPTY_TIMEOUT_MS })
          await fleet.settled(EMPTY_TIMEOUT_MS)
        },
        mend: () => fleet.api.call('POST', '/api/servers/a/undrain'),
      }
    },
  },
  movedNow: moved('now'),
  movedAtTrackEnd: moved('track_end'),
} satisfies Record<string, FleetFault>

function moved(when: 'now' | 'track_end'): FleetFault {
  return {
    name: `channels moved, ${when === 'now' ? 'now' : 'each when its track ends'}`,
    notice: 'interruption',
    async inject(fleet: Fleet) {
      const at = performance.now()
      for (const { slug } of fleet.victims)
        await fleet.api.call('POST', `/api/channels/${slug}/move`, { server_id: 'c', at: when })
      const runNone = async () => (await fleet.server('a')).channels === 0
      return {
        at,
        touched: fleet.victims,
        async meanwhile() {
          await untilElsewhere(fleet)
          await waitFor('a to be rid of them', runNone, { timeoutMs: EMPTY_TIMEOUT_MS })
          await fleet.settled(EMPTY_TIMEOUT_MS)
        },
        mend: async () => {},
      }
    },
  }
}

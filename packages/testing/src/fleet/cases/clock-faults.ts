import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@skipcast/runtime'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'

const HOUR_S = 3600
/** Longer than servers are waited for, and status is repeated. */
const LASTS_MS = 12_000

/** The time of day of server processes jumps, as when a machine without a network clock gets one; engines, Kafka and PostgreSQL keep the true time. */
function jump(name: string, offsetsS: Readonly<Record<string, number>>): FleetFault {
  return {
    name: `${name}, and to the true time again`,
    notice: 'nothing',
    obstacle: ({ clocks }) => (typeof clocks === 'string' ? clocks : null),
    async inject(fleet) {
      const clocks = clocksOf(fleet)
      const at = performance.now()
      for (const [machine, offsetS] of Object.entries(offsetsS)) await clocks.set(machine, offsetS)
      return {
        at,
        touched: [...fleet.victims, ...fleet.others],
        async meanwhile() {
          await waitFor('the clock to jump', async () => (await awayS(fleet)) > HOUR_S / 2, { timeoutMs: LASTS_MS })
          await sleep(at + LASTS_MS - performance.now())
        },
        async mend() {
          for (const machine of Object.keys(offsetsS)) await clocks.set(machine, 0)
        },
      }
    },
  }
}

/** How far the clock of the API is from ours, in seconds. */
async function awayS({ control }: Fleet): Promise<number> {
  const { headers } = await fetch(`http://${control.host.address}:3000/ping`)
  return Math.abs(Date.parse(headers.get('date')!) - Date.now()) / 1000
}

function clocksOf({ clocks }: Fleet) {
  if (typeof clocks === 'string') throw new Error(clocks)
  return clocks
}

export const clockFaults = {
  apart: jump('the clock of an agent jumps an hour ahead, that of the API an hour back', { a: HOUR_S, api: -HOUR_S }),
  opposite: jump('the clock of an agent jumps an hour back, that of the API an hour ahead', { a: -HOUR_S, api: HOUR_S }),
} satisfies Record<string, FleetFault>

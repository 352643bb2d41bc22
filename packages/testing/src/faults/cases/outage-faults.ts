import { waitFor } from '@skipcast/runtime'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { everyChannel, type Station } from '../station.ts'
import { engineFaults } from './engine-faults.ts'
import { order, type Order } from './order.ts'
import { signalPrograms } from './programs.ts'

const OUTAGE_MS = 60_000
const FREEZE_MS = 10_000
const SETTLE_MS = 30_000

/** What the control plane needs: listeners must not hear of it, and what was acknowledged must come true. */
export const outageFaults = {
  brokerKilled: killed('broker', 'broker killed'),
  databaseKilled: killed('database', 'PostgreSQL killed'),
  brokerFrozen: {
    name: 'broker frozen for 10 s',
    notice: 'nothing',
    async inject(station) {
      const at = await signalPrograms(station, 'broker', 'SIGSTOP')
      const asked = await order(station)
      await sleep(FREEZE_MS)
      await signalPrograms(station, 'broker', 'SIGCONT')
      return { at, channels: everyChannel(station), afterwards: () => accepted(asked) }
    },
  },
  brokerDown: {
    name: 'broker down for 60 s',
    notice: 'nothing',
    async inject(station) {
      await station.parts.broker.kill()
      const at = await signalPrograms(station, 'broker', 'SIGKILL')
      const asked = await order(station)
      return {
        at,
        channels: everyChannel(station),
        besides: [{ ...engineFaults.killed, name: 'engine killed while the broker is down' }],
        meanwhile: () => sleep(at + OUTAGE_MS - performance.now()),
        mend: () => station.parts.broker.start(),
        afterwards: () => accepted(asked),
      }
    },
  },
  databaseDown: {
    name: 'PostgreSQL down for 60 s',
    notice: 'nothing',
    async inject(station) {
      const at = performance.now()
      await station.database.stop()
      return {
        at,
        channels: everyChannel(station),
        besides: [{ ...engineFaults.killed, name: 'engine killed while PostgreSQL is down' }],
        async meanwhile() {
          const { status } = await order(station)
          if (status !== 503) throw new Error(`the API answered ${status} without a database`)
          await sleep(at + OUTAGE_MS - performance.now())
        },
        mend: () => station.database.start(),
        afterwards: async () =>
          accepted(await waitFor('an order to be taken', () => orderTaken(station), { timeoutMs: SETTLE_MS })),
      }
    },
  },
} satisfies Record<string, Fault>

function killed(program: 'broker' | 'database', name: string): Fault {
  return {
    name,
    notice: 'nothing',
    async inject(station) {
      const asked = await order(station)
      const at = await signalPrograms(station, program, 'SIGKILL')
      return { at, channels: everyChannel(station), afterwards: () => accepted(asked) }
    },
  }
}

/** The API asks anew for as long as PostgreSQL is still coming back. */
async function orderTaken(station: Station): Promise<Order | null> {
  const asked = await order(station)
  return asked.status === 503 ? null : asked
}

async function accepted(asked: Order): Promise<void> {
  if (asked.status !== 202) throw new Error(`the API answered ${asked.status} to an order`)
  await asked.kept()
}

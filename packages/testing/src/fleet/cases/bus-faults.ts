import { readFile } from 'node:fs/promises'
import { waitFor } from '@skipcast/runtime'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'
import type { LanHost } from '../lan.ts'
import { untilElsewhere } from './lost-faults.ts'

const ORDERS = 8
const ACKNOWLEDGED_TIMEOUT_MS = 30_000

/** What the control plane stands on dies while channels move, or while orders are given. */
export const busFaults = {
  brokerWhileMoving: whileMoving('a broker killed, and started again', async (fleet) => {
    const [host] = fleet.kafka
    await killAll(host!)
    return async () => fleet.brokers.start(host!)
  }),
  allBrokersWhileMoving: whileMoving('all brokers killed, and started again', async (fleet) => {
    await Promise.all(fleet.kafka.map(killAll))
    fleet.kafka.forEach((host) => fleet.brokers.start(host))
  }),
  /** Who keeps it starts it again. */
  databaseWhileMoving: whileMoving('PostgreSQL killed', ({ database }) => killPostmaster(database)),
  leaderUnderOrders: {
    name: 'the broker that leads is lost while orders are given, and back',
    notice: 'nothing',
    async inject(fleet) {
      const leader = await fleet.brokers.leader()
      const before = fleet.orders.acknowledged
      const at = performance.now()
      await leader.setLink('down')
      return {
        at,
        touched: [...fleet.victims, ...fleet.others],
        async meanwhile() {
          const areGiven = async () => {
            await fleet.orders.give()
            return fleet.orders.acknowledged - before >= ORDERS
          }
          await waitFor('some orders to be acknowledged', areGiven, { timeoutMs: ACKNOWLEDGED_TIMEOUT_MS })
        },
        mend: () => leader.setLink('up'),
      }
    },
  },
} satisfies Record<string, FleetFault>

/** Orders the victims elsewhere, and breaks something before that can have been done. */
function whileMoving(name: string, strike: (fleet: Fleet) => Promise<(() => Promise<void>) | void>): FleetFault {
  return {
    name: `${name}, while channels move`,
    notice: 'interruption',
    async inject(fleet) {
      const at = performance.now()
      const moves = fleet.victims.map(({ slug }) => fleet.api.call('POST', `/api/channels/${slug}/move`, { server_id: 'c' }))
      const mend = await strike(fleet)
      await Promise.allSettled(moves)
      return {
        at,
        touched: fleet.victims,
        async meanwhile() {
          await mend?.()
          // What was not acknowledged is asked for again.
          for (const { slug } of fleet.victims)
            await waitFor(
              `${slug} to be told to move`,
              async () => (await fleet.api.call('POST', `/api/channels/${slug}/move`, { server_id: 'c' })).status === 202,
              { timeoutMs: ACKNOWLEDGED_TIMEOUT_MS, everyMs: 200 },
            )
          await untilElsewhere(fleet)
        },
        mend: async () => {},
      }
    },
  }
}

/** Its keeper lives on. */
async function killPostmaster(host: LanHost): Promise<void> {
  for (const pid of await host.pids())
    if (/\/postgres\0-D\0/.test(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))) process.kill(pid, 'SIGKILL')
}

async function killAll(host: LanHost): Promise<void> {
  for (const pid of await host.pids()) process.kill(pid, 'SIGKILL')
  await waitFor(`everything on ${host.name} to end`, async () => (await host.pids()).length === 0, { timeoutMs: 10_000 })
}

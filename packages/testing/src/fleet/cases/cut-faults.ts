import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetFault } from '../fleet-fault.ts'
import type { Fleet } from '../fleet.ts'
import type { LanHost } from '../lan.ts'
import { untilElsewhere } from './lost-faults.ts'

const CUT_MS = 15_000

type Part = 'api' | 'kafka' | 'agent' | 'icecast' | 'database'

/** The machines of a part; the agent is a, which plays the victims. */
function hostsOf(fleet: Fleet, part: Part): readonly LanHost[] {
  switch (part) {
    case 'api':
      return [fleet.control.host]
    case 'kafka':
      return fleet.kafka
    case 'agent':
      return [fleet.agents[0].host]
    case 'icecast':
      return [fleet.icecast.host]
    case 'database':
      return [fleet.database]
    default:
      return part satisfies never
  }
}

/** No packet between any two of these pairs, in either direction, for a while. Whoever spoke to the other hears nothing any more. */
function cut(
  pairs: readonly (readonly [Part, Part])[],
  options: { name?: string; notice?: FleetFault['notice']; moves?: boolean } = {},
): FleetFault {
  const { name = pairs.map(([one, other]) => `${one} | ${other}`).join(', '), notice = 'nothing', moves = false } = options
  const each = async (fleet: Fleet, action: (from: LanHost, to: LanHost) => Promise<void>) => {
    for (const [one, other] of pairs)
      for (const from of hostsOf(fleet, one))
        for (const to of hostsOf(fleet, other)) {
          await action(from, to)
          await action(to, from)
        }
  }
  return {
    name: `cut for ${CUT_MS / 1000} s: ${name}`,
    notice,
    async inject(fleet) {
      const at = performance.now()
      await each(fleet, (from, to) => fleet.lan.cut(from, to))
      return {
        at,
        touched: notice === 'nothing' ? [...fleet.victims, ...fleet.others] : fleet.victims,
        async meanwhile() {
          if (moves) await untilElsewhere(fleet)
          await sleep(at + CUT_MS - performance.now())
        },
        mend: () => each(fleet, (from, to) => fleet.lan.heal(from, to)),
      }
    },
  }
}

/** Pairs that never speak with each other. */
const STRANGERS = [
  ['agent', 'api'],
  ['agent', 'database'],
  ['api', 'icecast'],
  ['kafka', 'database'],
  ['icecast', 'database'],
] as const

/** Every pair: those that harm nobody's programme together, where time is short. */
export const cutFaults = {
  kafkaFromRoles: cut([
    ['api', 'kafka'],
    ['kafka', 'icecast'],
  ]),
  apiFromDatabase: cut([['api', 'database'], ...STRANGERS], { name: 'api | database, and all pairs that do not speak' }),
  agentFromKafka: cut([['agent', 'kafka']], { notice: 'interruption', moves: true }),
  agentFromIcecast: cut([['agent', 'icecast']], { notice: 'interruption', moves: true }),
} satisfies Record<string, FleetFault>

/** What is cut together there, pair by pair. */
export const singleCuts: readonly FleetFault[] = [
  cut([['api', 'kafka']]),
  cut([['kafka', 'icecast']]),
  cut([['api', 'database']]),
  ...STRANGERS.map((pair) => cut([pair])),
]

import { messageOf, startLoop, waitFor } from '@skipcast/runtime'
import { holes } from '../faults/contradiction.ts'
import { differences, snapshot } from '../faults/notice.ts'
import { gapMeter } from '../gap-meter.ts'
import { hears } from '../tone.ts'
import type { Fleet, FleetChannel } from './fleet.ts'
import type { FleetFault, FleetOutcome } from './fleet-fault.ts'
import { admissions, doublePublishers } from './publishers.ts'

const SETTLE_TIMEOUT_MS = 90_000
const ORDER_EVERY_MS = 2500

/** Injects one fault into an arranged fleet and tells what it did. Never rejects: what went wrong is among the problems. */
export async function injectFleetFault(fleet: Fleet, fault: FleetFault): Promise<FleetOutcome> {
  const all = [...fleet.victims, ...fleet.others]
  const before = new Map(all.flatMap(({ listeners }) => listeners).map((listener) => [listener, snapshot(listener)]))
  const acknowledgedBefore = fleet.orders.acknowledged
  const doublesOf = async () => doublePublishers(admissions(await fleet.icecast.log()))
  const doublesBefore = (await doublesOf()).length
  const problems: string[] = []
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : ''
      problems.push(`${what}: ${messageOf(error)}${cause}`)
    }
  }

  let touched: readonly FleetChannel[] = all
  let at = performance.now()
  {
    await using _ordering = startLoop(async () => void (await fleet.orders.give()), {
      everyMs: ORDER_EVERY_MS,
      onError: () => {},
    })
    await attempt('injecting', async () => {
      const injury = await fault.inject(fleet)
      ;({ at, touched } = injury)
      await attempt('meanwhile', injury.meanwhile)
      await attempt('mending', injury.mend)
    })
    await attempt('settling', () => fleet.settled(SETTLE_TIMEOUT_MS))
  }
  const isTaken = async () => (await fleet.orders.give()) === 202
  await attempt('an order afterwards', () => waitFor('it to be taken', isTaken, { timeoutMs: SETTLE_TIMEOUT_MS, everyMs: 500 }))
  const lost = await fleet.orders.lost(SETTLE_TIMEOUT_MS)
  await attempt('the servers', () =>
    waitFor('each to carry what it should', () => carry(fleet), { timeoutMs: SETTLE_TIMEOUT_MS }),
  )
  await attempt('settling', () => fleet.settled(SETTLE_TIMEOUT_MS))
  const to = performance.now()

  for (const { slug, listeners, frequencyHz } of fault.notice === 'nothing' ? touched.slice(0, 1) : touched) {
    if (problems.length > 0) break
    await attempt(`the programme of ${slug}`, () => hears(listeners[0]!, frequencyHz, { timeoutMs: SETTLE_TIMEOUT_MS }))
  }
  const mayNotice = fault.notice === 'nothing' ? [] : touched
  for (const { id, slug, listeners } of all) {
    if (mayNotice.some((channel) => channel.id === id)) continue
    const noticed = listeners.flatMap((listener) => differences(before.get(listener)!, snapshot(listener)))
    if (noticed.length > 0) problems.push(`listeners of ${slug} noticed what did not concern them: ${noticed.join(', ')}`)
  }
  const dropped = [...before].filter(([listener, { closures }]) => listener.closures.length > closures).length
  if (dropped > 0) problems.push(`${dropped} listeners lost their connection`)
  problems.push(...lost.map((what) => `an acknowledged order was lost: ${what}`))
  const doubles = (await doublesOf()).slice(doublesBefore)
  problems.push(...doubles.map((what) => `let in: ${what}`))

  const listeners = touched.flatMap((channel) => channel.listeners)
  return {
    fault: fault.name,
    gaps: listeners.map((listener) => gapMeter(listener).between(at, to).max),
    programme: listeners.map(({ sounds }) => longestHole(sounds, at, to)),
    listeners: before.size,
    dropped,
    orders: { acknowledged: fleet.orders.acknowledged - acknowledgedBefore, lost: lost.length },
    doublePublishers: doubles.length,
    problems,
  }
}

/** The longest time without the programme. */
function longestHole(sounds: readonly number[], at: number, to: number): number {
  return Math.max(0, ...holes(sounds, at, to, 0).map((hole) => hole.to - hole.from))
}

/** Every server that is there runs what it should, and nothing else. */
async function carry(fleet: Fleet): Promise<boolean> {
  const views = await Promise.all(fleet.agents.map(({ host }) => fleet.server(host.name)))
  for (const { id, state, channels, placed } of views)
    if (state !== 'open' || channels !== placed.channels)
      throw new Error(`${id} is ${state} and runs ${channels} of ${placed.channels} channels`)
  return true
}

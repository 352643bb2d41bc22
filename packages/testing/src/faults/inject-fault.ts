import { messageOf } from '@skipcast/runtime'
import { gapMeter } from '../gap-meter.ts'
import { hears } from '../tone.ts'
import { longestContradiction } from './contradiction.ts'
import type { Fault, Outcome } from './fault.ts'
import { differences, programmeBack, snapshot } from './notice.ts'
import { everyChannel, type Station, type StationChannel } from './station.ts'

/** Longest time for all to be as before after a fault was mended. */
const SETTLE_TIMEOUT_MS = 60_000

/**
 * Injects one fault into a settled station and tells what it did, and what those did that broke besides. Never rejects: what went wrong is
 * among the problems.
 */
export async function injectFault(station: Station, fault: Fault, isBesides = false): Promise<Outcome[]> {
  const all = everyChannel(station)
  const before = new Map(all.flatMap(({ listeners }) => listeners).map((listener) => [listener, snapshot(listener)]))
  const besides: Outcome[] = []
  const problems: string[] = []
  const attempt = async (what: string, action: () => unknown) => {
    try {
      await action()
    } catch (error) {
      problems.push(`${what}: ${describe(error)}`)
    }
  }

  let touched: readonly StationChannel[] = all
  let at = performance.now()
  let mendedAt = at
  await attempt('injecting', async () => {
    const injury = await fault.inject(station)
    ;({ at, channels: touched } = injury)
    mendedAt = at
    for (const other of injury.besides ?? []) {
      if ((await other.isDue?.(station)) ?? true) besides.push(...(await injectFault(station, other, true)))
    }
    await attempt('meanwhile', injury.meanwhile ?? (() => {}))
    if (injury.mend) {
      mendedAt = performance.now()
      await attempt('mending', injury.mend)
    }
    await attempt('settling', () => station.settled(SETTLE_TIMEOUT_MS, { mayBeUnknown: isBesides }))
    await attempt('afterwards', injury.afterwards ?? (() => {}))
  })
  const to = performance.now()

  const others = new Set(besides.flatMap(({ channelIds }) => channelIds))
  const concerned = touched.filter(({ id }) => !others.has(id))
  for (const { slug, listeners, frequencyHz } of fault.notice === 'nothing' ? concerned.slice(0, 1) : concerned) {
    if (problems.length > 0) break
    await attempt(`the programme of ${slug}`, () => hears(listeners[0]!, frequencyHz, { timeoutMs: SETTLE_TIMEOUT_MS }))
  }
  const mayNotice = fault.notice === 'nothing' ? [] : touched
  for (const { id, slug, listeners } of all) {
    if (others.has(id) || mayNotice.some((channel) => channel.id === id)) continue
    const noticed = listeners.flatMap((listener) => differences(before.get(listener)!, snapshot(listener)))
    if (noticed.length > 0) problems.push(`listeners of ${slug} noticed what did not concern them: ${noticed.join(', ')}`)
  }
  const listeners = concerned.flatMap((channel) => channel.listeners)
  const dropped = listeners.filter((listener) => listener.closures.length > before.get(listener)!.closures)
  if (fault.notice === 'interruption' && dropped.length > 0) problems.push(`${dropped.length} listeners lost their connection`)

  return [
    ...besides,
    {
      fault: fault.name,
      channelIds: touched.map(({ id }) => id),
      listeners: listeners.length,
      kept: listeners.length - dropped.length,
      gaps: listeners.map((listener) => gapMeter(listener).between(at, to).max),
      programmeBack:
        fault.notice === 'nothing' ? [] : listeners.flatMap(({ sounds }) => programmeBack(sounds, { at, mendedAt, to })),
      statusBehind: Math.max(
        0,
        ...concerned.map(({ slug, listeners: [ear] }) =>
          longestContradiction(station.status.claims(slug), ear!.sounds, { from: at, to }),
        ),
      ),
      problems,
    },
  ]
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : ''
  return `${messageOf(error)}${cause}`
}

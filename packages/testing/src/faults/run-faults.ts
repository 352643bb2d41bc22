import { waitFor } from '@skipcast/runtime'
import type { Fault, Outcome } from './fault.ts'
import { injectFault } from './inject-fault.ts'
import type { Station } from './station.ts'

/** An engine's rest of a minute, and what comes before it on a busy machine. */
const DUE_TIMEOUT_MS = 180_000

/**
 * Injects these faults, one after the other, each as soon as it is due. Resolves with what each of them did; those that this machine can't
 * have are told to `say`, and left out. Rejects with TIMEOUT when the station is not settled at the beginning, or none becomes due.
 */
export async function runFaults(
  station: Station,
  faults: readonly Fault[],
  say: (text: string) => void,
  between: () => Promise<void> = async () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const pending = [...faults]
  await station.settled(DUE_TIMEOUT_MS)
  while (pending.length > 0) {
    const next = await waitFor('a fault to be due', () => firstDue(station, pending), { timeoutMs: DUE_TIMEOUT_MS })
    pending.splice(pending.indexOf(next.fault), 1)
    if (next.obstacle !== null) {
      say(`LEFT OUT: ${next.fault.name}: ${next.obstacle}`)
      continue
    }
    for (const outcome of await injectFault(station, next.fault)) {
      outcomes.push(outcome)
      say(describe(outcomes.length, outcome))
    }
    await between()
  }
  return outcomes
}

async function firstDue(station: Station, pending: readonly Fault[]): Promise<{ fault: Fault; obstacle: string | null } | null> {
  for (const fault of pending) {
    const obstacle = (await fault.obstacle?.(station)) ?? null
    if (obstacle !== null || !fault.isDue || (await fault.isDue(station))) return { fault, obstacle }
  }
  return null
}

function describe(number: number, { fault, gaps, programmeBack, kept, listeners, statusBehind, problems }: Outcome): string {
  const worst = (values: readonly number[]) => (values.length > 0 ? `${Math.max(...values).toFixed(0)} ms` : '–')
  const figures = `gap ${worst(gaps)}, programme ${worst(programmeBack)}, kept ${kept}/${listeners}, status behind ${worst([statusBehind ?? 0])}`
  return [`${number} ${fault}: ${figures}`, ...problems.map((problem) => `  PROBLEM ${problem}`)].join('\n')
}

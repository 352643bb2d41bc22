import { toStreamEvent, type Teller } from './domain/engine-event.ts'
import type { EngineHost, Journal } from './ports.ts'

/**
 * Moves an engine's events into the journal: first there, then acknowledged. After a crash in between they are moved again,
 * under the same ids.
 */
export async function relayEvents(
  engineId: string,
  ports: { host: EngineHost; journal: Journal; teller: Teller },
): Promise<void> {
  for (;;) {
    const events = await ports.host.readEvents(engineId)
    const last = events.at(-1)
    if (!last) return
    await ports.journal.append(events.flatMap((event) => toStreamEvent(ports.teller, engineId, event) ?? []))
    await ports.host.acknowledge(engineId, last.seq)
  }
}

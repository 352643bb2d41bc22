import type { StreamEvent } from '@skipcast/contracts'
import { toStreamEvent, type HeardAt, type Teller } from './domain/engine-event.ts'
import type { SpoiledTracks } from './spoiled-tracks.ts'
import type { EngineHost, Journal } from './ports.ts'

/**
 * Moves an engine's events into the journal: first there, then acknowledged. After a crash in between they are moved again,
 * under the same ids. A track play stays where it is until it is heard, and what came after it too: no memory is needed for what waits.
 */
export async function relayEvents(
  engineId: string,
  ports: { host: EngineHost; journal: Journal; teller: Teller; heardAt: HeardAt; spoiled: SpoiledTracks },
): Promise<void> {
  for (;;) {
    const events = await ports.host.readEvents(engineId)
    const due: StreamEvent[] = []
    let last: number | null = null
    for (const event of events) {
      const told = toStreamEvent(ports.teller, engineId, event, ports.heardAt)
      if (told === 'not yet') break
      if (told) due.push(told)
      last = event.seq
    }
    if (last === null) return
    await ports.journal.append(due)
    for (const event of due) ports.spoiled.note(event)
    await ports.host.acknowledge(engineId, last)
    if (last !== events.at(-1)?.seq) return
  }
}

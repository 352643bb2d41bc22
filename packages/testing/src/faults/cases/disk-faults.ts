import { waitFor } from '@skipcast/runtime'
import type { Fault } from '../fault.ts'
import { everyChannel } from '../station.ts'
import { order, type Order } from './order.ts'

const TURNS_TIMEOUT_MS = 60_000
const TURNS = 3

export const diskFull: Fault = {
  name: 'disk full',
  notice: 'nothing',
  obstacle: async ({ disk }) => (typeof disk === 'string' ? disk : null),
  async inject(station) {
    const { disk, quick } = station
    if (typeof disk === 'string') throw new Error(disk)
    const [ear] = quick.listeners
    const tracks = ear!.titles.length
    const at = performance.now()
    await disk.fill()
    let asked: Order | null = null
    return {
      at,
      channels: everyChannel(station),
      async meanwhile() {
        asked = await order(station).catch(() => null) // it may be refused, or not even answered
        await waitFor('some more tracks', () => ear!.titles.length >= tracks + TURNS, { timeoutMs: TURNS_TIMEOUT_MS })
      },
      mend: () => disk.free(),
      afterwards: async () => asked?.kept(),
    }
  },
}

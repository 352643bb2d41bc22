import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@skipcast/runtime'
import { enginesOf } from '../engines.ts'
import type { Fault } from '../fault.ts'
import { everyChannel, type Station } from '../station.ts'
import { order } from './order.ts'
import { programsOf } from './programs.ts'

const FREEZE_MS = 5000
const NOTICED_TIMEOUT_MS = 30_000

/** Server processes: engines, icecast2 and those who listen must not care. */
export const processFaults = {
  agentKilled: replaced('agent', 'kill', 'agent killed, and the next one started'),
  agentHandedOver: replaced('agent', 'handOver', 'agent handed over to the next one'),
  agentFrozen: frozen('agent'),
  controlKilled: replaced('control', 'kill', 'control plane killed, and the next one started'),
  controlHandedOver: replaced('control', 'handOver', 'control plane handed over to the next one'),
  controlFrozen: frozen('control'),
  serverLost: {
    name: 'agent and all engines killed, and back when status says so',
    notice: 'interruption',
    async inject(station) {
      const channels = everyChannel(station)
      const engines = await enginesOf(station.home)
      const at = performance.now()
      await station.parts.agent.kill()
      for (const { pid } of engines) process.kill(pid, 'SIGKILL')
      for (const { id } of channels) station.hurtAt.set(id, at)
      const isTold = () => channels.every(({ slug }) => station.status.phase(slug) !== 'on_air')
      return {
        at,
        channels,
        meanwhile: () => waitFor('status to tell that the server is lost', isTold, { timeoutMs: NOTICED_TIMEOUT_MS }),
        mend: () => station.parts.agent.start(),
      }
    },
  },
} satisfies Record<string, Fault>

/** What is acknowledged just before holds, and the engines are still the same ones. */
function replaced(name: 'agent' | 'control', how: 'kill' | 'handOver', text: string): Fault {
  return {
    name: text,
    notice: 'nothing',
    async inject(station) {
      const part = station.parts[name]
      const before = await survivors(station)
      const asked = await order(station)
      const at = performance.now()
      await part[how]()
      await part.start()
      return {
        at,
        channels: everyChannel(station),
        async afterwards() {
          await asked.kept()
          const after = await survivors(station)
          if (before.some((pid) => !after.includes(pid))) throw new Error('a process was not taken over, but replaced')
        },
      }
    },
  }
}

/** What must outlive those who started it. */
async function survivors(station: Station): Promise<number[]> {
  const engines = await enginesOf(station.home)
  const playing = engines.filter(({ channelIds }) => station.channels.some(({ id }) => channelIds.includes(id)))
  return [...playing.map(({ pid }) => pid), ...(await programsOf(station, 'icecast')), ...(await programsOf(station, 'front'))]
}

function frozen(name: 'agent' | 'control'): Fault {
  return {
    name: `${name === 'agent' ? 'agent' : 'control plane'} frozen for ${FREEZE_MS / 1000} s`,
    notice: 'nothing',
    async inject(station) {
      const at = performance.now()
      station.parts[name].freeze()
      await sleep(FREEZE_MS)
      station.parts[name].wake()
      return { at, channels: everyChannel(station) }
    },
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@skipcast/runtime'
import { enginesOf } from '../engines.ts'
import type { Fault } from '../fault.ts'
import { everyChannel, type Station, type StationChannel } from '../station.ts'

/** An agent waits longer from failure to failure of a channel, until it was on air for a minute. */
const REST_MS = 61_000
const GONE_TIMEOUT_MS = 30_000
const PAUSE_MS = 300

interface Victim {
  readonly pid: number
  readonly channels: readonly StationChannel[]
}

export const engineFaults = {
  killed: engineFault('engine killed', async ({ pid }) => void process.kill(pid, 'SIGKILL')),
  frozen: engineFault(
    'engine frozen',
    async ({ pid }) => void process.kill(pid, 'SIGSTOP'),
    async ({ pid }) => waitFor('the frozen engine to be ended', () => !isThere(pid), { timeoutMs: GONE_TIMEOUT_MS }),
  ),
  paused: engineFault('engine paused for 0.3 s', async ({ pid }) => {
    process.kill(pid, 'SIGSTOP')
    await sleep(PAUSE_MS)
    process.kill(pid, 'SIGCONT')
  }),
  idleKilled: {
    name: 'idle engine killed',
    notice: 'nothing',
    async inject(station) {
      const at = performance.now()
      for (const { pid, channelIds } of await enginesOf(station.home)) if (channelIds.length === 0) process.kill(pid, 'SIGKILL')
      return { at, channels: everyChannel(station) }
    },
  },
  allKilled: {
    name: 'all engines killed',
    notice: 'interruption',
    isDue: async (station) => everyChannel(station).every((channel) => isRested(station, channel)),
    async inject(station) {
      const channels = everyChannel(station)
      const engines = await enginesOf(station.home)
      const at = performance.now()
      for (const { pid } of engines) process.kill(pid, 'SIGKILL')
      for (const { id } of channels) station.hurtAt.set(id, at)
      return { at, channels }
    },
  },
} satisfies Record<string, Fault>

function engineFault(
  name: string,
  hurt: (victim: Victim) => Promise<void>,
  meanwhile?: (victim: Victim) => Promise<unknown>,
): Fault {
  return {
    name,
    notice: 'interruption',
    isDue: async (station) => (await mostRested(station)) !== null,
    async inject(station) {
      const victim = await mostRested(station)
      if (!victim) throw new Error('no engine is as it was before its last fault')
      const at = performance.now()
      await hurt(victim)
      for (const { id } of victim.channels) station.hurtAt.set(id, at)
      return { at, channels: victim.channels, ...(meanwhile && { meanwhile: () => meanwhile(victim) }) }
    },
  }
}

async function mostRested(station: Station): Promise<Victim | null> {
  const victims = (await enginesOf(station.home)).flatMap(({ pid, channelIds }): Victim[] => {
    const channels = everyChannel(station).filter(({ id }) => channelIds.includes(id))
    return channels.length > 0 && channels.every((channel) => isRested(station, channel)) ? [{ pid, channels }] : []
  })
  const hurtAt = ({ channels }: Victim) => Math.max(...channels.map(({ id }) => station.hurtAt.get(id) ?? 0))
  return victims.reduce<Victim | null>((best, next) => (best && hurtAt(best) <= hurtAt(next) ? best : next), null)
}

function isRested({ hurtAt, status }: Station, { id, slug }: StationChannel): boolean {
  const hurt = hurtAt.get(id)
  const onAirSince = status.claims(slug).at(-1)?.at ?? Infinity
  return hurt === undefined || performance.now() - Math.max(hurt, onAirSince) > REST_MS
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '@skipcast/runtime'
import type { Fault } from '../fault.ts'
import { everyChannel, type Station } from '../station.ts'
import { programsOf, signalPrograms } from './programs.ts'

const GONE_TIMEOUT_MS = 60_000

type Program = 'icecast' | 'front'
const names: Record<Program, string> = { icecast: 'Icecast', front: 'front' }

export const icecastFaults = {
  killed: killed('icecast'),
  frozen: {
    name: 'Icecast frozen',
    notice: 'reconnect',
    async inject(station) {
      const before = await programsOf(station, 'icecast')
      const areGone = async () => (await programsOf(station, 'icecast')).every((pid) => !before.includes(pid))
      return {
        at: await signalPrograms(station, 'icecast', 'SIGSTOP'),
        channels: everyChannel(station),
        meanwhile: () => waitFor('the frozen Icecast to be replaced', areGone, { timeoutMs: GONE_TIMEOUT_MS }),
      }
    },
  },
  frontKilled: killed('front'),
  sourceCut: {
    name: 'source cut off by Icecast',
    notice: 'interruption',
    async inject(station) {
      const [channel] = station.channels
      const at = performance.now()
      await killSource(station, channel!.slug)
      return { at, channels: [channel!] }
    },
  },
} satisfies Record<string, Fault>

function killed(program: Program): Fault {
  return {
    name: `${names[program]} killed`,
    notice: 'reconnect',
    obstacle: (station) => missing(station, program),
    inject: async (station) => ({ at: await signalPrograms(station, program, 'SIGKILL'), channels: everyChannel(station) }),
  }
}

async function missing(station: Station, program: Program): Promise<string | null> {
  return (await programsOf(station, program)).length > 0 ? null : `no ${names[program]} runs here`
}

/** As an administrator of Icecast would, by the role's own door. */
async function killSource({ home }: Station, slug: string): Promise<void> {
  const [port, password] = await Promise.all(
    ['ports/icecast-inner', 'secrets/icecast-admin'].map(async (file) => (await readFile(join(home, file), 'utf8')).trim()),
  )
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const { status } = await fetch(`http://127.0.0.1:${port}/admin/killsource?mount=/${slug}`, { headers: { authorization } })
  if (status !== 200) throw new Error(`Icecast answered ${status} to killsource`)
}

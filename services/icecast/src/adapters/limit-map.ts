import { messageOf, readFileIfThere, writeFileAtomic, type ChildUser } from '@skipcast/runtime'
import { join } from 'node:path'
import { LIMITS_FILE, RUNTIME_SOCKET } from '../domain/front-config.ts'
import { isAudience } from '../domain/audience.ts'
import type { ListenerLimits } from '../ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { tellFront } from './front-runtime.ts'

/** The map as it is now, as its file has it. */
export interface LimitMap extends ListenerLimits {
  text(): string
}

/** How many may hear the channels that have a limit, in HAProxy's memory and in the file that a new worker begins with. Rejects when the file can't be read or written. */
export async function limitMap(options: {
  directory: string
  user: ChildUser | undefined
  telemetry: Pick<Telemetry, 'notLimited'>
}): Promise<LimitMap> {
  const { directory, user: owner, telemetry } = options
  const file = join(directory, LIMITS_FILE)
  const socket = join(directory, RUNTIME_SOCKET)
  let limits: ReadonlyMap<string, number> = readLimits((await readFileIfThere(file)) ?? '')
  const text = () => [...limits].map(([mount, most]) => `${mount} ${most}\n`).join('')

  let saved: string | null = null
  const save = async () => {
    const wanted = text()
    if (wanted === saved) return
    await writeFileAtomic(file, wanted, { owner })
    saved = wanted
  }
  await save()

  return {
    text,
    async keep(wanted) {
      limits = wanted
      try {
        await save()
        const has = readLimits(await tellFront(socket, `show map ${LIMITS_FILE}`))
        for (const command of differences(has, wanted)) await tellFront(socket, command)
      } catch (error) {
        telemetry.notLimited(messageOf(error))
      }
    },
  }
}

/** The commands that make one map of the other. */
function differences(has: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, number>): string[] {
  const gone = [...has.keys()].filter((mount) => !wanted.has(mount)).map((mount) => `del map ${LIMITS_FILE} ${mount}`)
  const others = [...wanted].filter(([mount, most]) => has.get(mount) !== most)
  return [...gone, ...others.map(([mount, most]) => `${has.has(mount) ? 'set' : 'add'} map ${LIMITS_FILE} ${mount} ${most}`)]
}

/** The limits in a map, be it as the file has it or as HAProxy shows it (an address stands before each). Lines of any other shape are left out. */
function readLimits(shown: string): Map<string, number> {
  return new Map(
    shown.split('\n').flatMap((line) => {
      const [mount = '', most = ''] = line.trim().split(' ').slice(-2)
      return isAudience(mount) && /^[1-9]\d{0,8}$/.test(most) ? [[mount, Number(most)] as const] : []
    }),
  )
}

import { messageOf, readFileIfThere, writeFileAtomic, type ChildUser } from '@skipcast/runtime'
import { join } from 'node:path'
import { MAP_FILE, RUNTIME_SOCKET } from '../domain/front-config.ts'
import { mountsOf, readMount } from '../domain/mounts.ts'
import type { Signposts } from '../ports.ts'
import type { Telemetry } from '../telemetry.ts'
import { tellFront } from './front-runtime.ts'

/** The map as it is now, as its file has it. */
export interface MountMap extends Signposts, AsyncDisposable {
  text(): string
}

/**
 * The channels whose listeners are on the second mount, in HAProxy's memory and in the file that a new worker begins with. HAProxy is told first, so that
 * nobody waits for a disk. Rejects when the file can't be read or written.
 */
export async function mountMap(options: {
  directory: string
  user: ChildUser | undefined
  telemetry: Pick<Telemetry, 'notTurned'>
}): Promise<MountMap> {
  const { directory, user: owner, telemetry } = options
  const file = join(directory, MAP_FILE)
  const socket = join(directory, RUNTIME_SOCKET)
  const turned = readMap((await readFileIfThere(file)) ?? '')
  const text = () => [...turned].map((mount) => `${mountsOf(mount).join(' ')}\n`).join('')

  let saved: string | null = null
  let saving = Promise.resolve()
  const save = async () => {
    const wanted = text()
    if (wanted === saved) return
    await writeFileAtomic(file, wanted, { owner })
    saved = wanted
  }
  const tell = async (channelMount: string) => {
    const command = turned.has(channelMount)
      ? `add map ${MAP_FILE} ${mountsOf(channelMount).join(' ')}`
      : `del map ${MAP_FILE} ${channelMount}`
    await tellFront(socket, command)
  }
  const note = (error: unknown) => telemetry.notTurned(messageOf(error))
  await save()

  return {
    text,
    of: (channelMount) => mountsOf(channelMount)[turned.has(channelMount) ? 1 : 0],
    async turn(channelMount, mount) {
      const isTurned = mount !== channelMount
      if (isTurned === turned.has(channelMount)) return
      if (isTurned) turned.add(channelMount)
      else turned.delete(channelMount)
      await tell(channelMount).catch(note)
      saving = saving.then(save).catch(note)
    },
    async repair() {
      try {
        const has = readMap(await tellFront(socket, `show map ${MAP_FILE}`))
        for (const mount of new Set([...has, ...turned])) if (has.has(mount) !== turned.has(mount)) await tell(mount)
        await (saving = saving.then(save))
      } catch (error) {
        note(error)
      }
    },
    [Symbol.asyncDispose]: () => saving,
  }
}

/** The channels in a map, be it as the file has it or as HAProxy shows it (an address stands before each). Lines of any other shape are left out. */
function readMap(shown: string): Set<string> {
  return new Set(
    shown.split('\n').flatMap((line) => {
      const [from, to] = line.trim().split(' ').slice(-2)
      const place = readMount(from ?? '')
      return place && to === mountsOf(place.channelMount)[1] && from === place.channelMount ? [from] : []
    }),
  )
}

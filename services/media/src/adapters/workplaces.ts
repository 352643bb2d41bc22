import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openFolder, orNoSpace } from '@skipcast/media-store'
import { makeDirectory, pathIn, type ChildUser } from '@skipcast/runtime'
import type { Workplace } from '../ports.ts'

/**
 * The folder `work/<server>/<job>/`, beside the stored files where these are on this machine, so that files come and go by a link. What a killed process left there is
 * removed when this begins.
 */
export async function workplaces(options: {
  readonly path: string
  /** Several processes may share the folder; each clears up after itself alone. */
  readonly serverId: string
  readonly user: ChildUser | undefined
}): Promise<() => Promise<Workplace>> {
  await openFolder(options.path)
  await openFolder(join(options.path, 'work'))
  const own = await makeDirectory(pathIn(options.path, 'work', options.serverId), { owner: options.user })
  for (const name of await readdir(own)) await rm(join(own, name), { recursive: true, force: true })
  return async () => {
    const folder = await makeDirectory(pathIn(own, randomUUID()), { owner: options.user }).catch(orNoSpace)
    return {
      path: (name) => pathIn(folder, name),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    }
  }
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childUser } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { localHost } from '../src/adapters/local-host.ts'
import type { EngineHost } from '../src/ports.ts'
import type { HostUnderTest } from './engine-host.contract.ts'
import { LIMITS } from './limits.ts'
import { SCRIPTS } from './script.ts'
import { testIcecast, type TestIcecast } from './test-icecast.ts'

interface World {
  readonly icecast: TestIcecast
  readonly media: TemporaryHome
  readonly program: string
}

/** A folder with the one file that all tracks are. */
export async function oneTone(): Promise<TemporaryHome> {
  const media = await temporaryHome()
  await toneFile(join(media.path, 'tone.mp3'), { frequencyHz: 440, seconds: 5 })
  return media
}

export function openLocalHost(home: TemporaryHome, { icecast, media, program }: World): Promise<EngineHost> {
  return localHost({
    directory: join(home.path, 'agent'),
    scripts: SCRIPTS,
    program,
    logLevel: 3,
    limits: LIMITS,
    icecast: { host: '127.0.0.1', port: icecast.port },
    owner: childUser(),
    pathOf: () => join(media.path, 'tone.mp3'),
  })
}

/** Opens hosts whose engines are this program, each with an Icecast of its own. */
export function localHostUnderTest(program: string): () => Promise<HostUnderTest> {
  return async () => {
    await using owned = new AsyncDisposableStack()
    const world = { icecast: owned.use(await testIcecast()), media: owned.use(await oneTone()), program }
    const home = owned.use(await temporaryHome())
    const host = await openLocalHost(home, world)
    const rest = owned.move()
    return {
      host,
      again: async () => rest.use(await openLocalHost(home, world)),
      async kill(engineId) {
        const { pid } = JSON.parse(await readFile(join(home.path, 'agent/engines', engineId, 'identity.json'), 'utf8'))
        process.kill(pid, 'SIGKILL')
      },
      [Symbol.asyncDispose]: () => rest.disposeAsync(),
    }
  }
}

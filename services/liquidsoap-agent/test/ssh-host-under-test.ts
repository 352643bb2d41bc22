import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { childUser, giveTo } from '@skipcast/runtime'
import { engineHost } from '../src/adapters/engine-host.ts'
import { sshLink } from '../src/adapters/ssh/ssh-link.ts'
import { sshMachine } from '../src/adapters/ssh/ssh-machine.ts'
import type { EngineHost } from '../src/ports.ts'
import type { HostUnderTest } from './engine-host.contract.ts'
import { LIMITS } from './limits.ts'
import { oneTone } from './local-host-under-test.ts'
import { SCRIPTS } from './script.ts'
import { aTrack } from './streams.ts'
import { testIcecast } from './test-icecast.ts'
import { testSshd, type TestSshd } from './test-sshd.ts'

/** The engines behind an sshd, over a connection of their own. */
export async function openSshHost({ target }: TestSshd, icecastPort: number): Promise<EngineHost> {
  const link = sshLink({ target, tell: { hostReached() {}, hostLost() {} } })
  await link.firstTry
  const machine = sshMachine({ link, scripts: SCRIPTS, logLevel: 3, limits: LIMITS, onVersion() {} })
  const host = engineHost(machine, { icecast: { host: '127.0.0.1', port: icecastPort } })
  return {
    ...host,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]()
      await link[Symbol.asyncDispose]()
    },
  }
}

/** Opens hosts behind an sshd, each with an Icecast of its own. */
export async function sshHostUnderTest(): Promise<HostUnderTest> {
  await using owned = new AsyncDisposableStack()
  const icecast = owned.use(await testIcecast())
  const media = owned.use(await oneTone())
  const sshd = owned.use(await testSshd())
  const host = await openSshHost(sshd, icecast.port)
  const cache = join(sshd.root, 'cache')
  for (const mediaId of ['one', 'two']) {
    const file = join(cache, `${aTrack(mediaId).sha256}.mp3`)
    await copyFile(join(media.path, 'tone.mp3'), file)
    giveTo(process.getuid?.() === 0 ? childUser(sshd.user) : undefined, file)
  }
  const rest = owned.move()
  return {
    host,
    again: async () => rest.use(await openSshHost(sshd, icecast.port)),
    async kill(engineId) {
      process.kill((await sshd.engine(engineId)).pid, 'SIGKILL')
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

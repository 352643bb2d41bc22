import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { childUser } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { readFile } from 'node:fs/promises'
import { localHost } from '../src/adapters/local-host.ts'
import { engineHostContract } from './engine-host.contract.ts'
import { testIcecast, type TestIcecast } from './test-icecast.ts'
import { SCRIPT } from './script.ts'

let icecast: TestIcecast
let media: TemporaryHome

beforeAll(async () => {
  icecast = await testIcecast()
  media = await temporaryHome()
  await toneFile(join(media.path, 'tone.mp3'), { frequencyHz: 440, seconds: 5 })
}, 60_000)
afterAll(async () => {
  await icecast[Symbol.asyncDispose]()
  await media[Symbol.asyncDispose]()
})

engineHostContract('local processes', async () => {
  const home = await temporaryHome()
  const open = () =>
    localHost({
      directory: join(home.path, 'agent'),
      script: SCRIPT,
      program: 'liquidsoap',
      logLevel: 3,
      icecast: { host: '127.0.0.1', port: icecast.port },
      owner: childUser(),
      pathOf: () => join(media.path, 'tone.mp3'),
    })
  const others: AsyncDisposable[] = [home]
  return {
    host: await open(),
    async again() {
      const host = await open()
      others.push(host)
      return host
    },
    async kill(engineId) {
      const { pid } = JSON.parse(await readFile(join(home.path, 'agent/engines', engineId, 'identity.json'), 'utf8'))
      process.kill(pid, 'SIGKILL')
    },
    async [Symbol.asyncDispose]() {
      for (const other of others.toReversed()) await other[Symbol.asyncDispose]()
    },
  }
})

import { silentFrames } from '@skipcast/audio'
import { childUser, findDaemon, freePort, httpGet, startDaemon, stopDaemon, waitFor } from '@skipcast/runtime'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Home } from '@skipcast/runtime'

export const PASSWORD = 'only for this test'

/** A plain icecast2 with a source password, which a test may start and end. */
export interface Icecast {
  readonly port: number
  start(): Promise<AsyncDisposable>
  /** Feeds silence until disposed; resolves when the source is let in. */
  source(mount: string, headers?: Record<string, string>): Promise<AsyncDisposable>
}

export async function icecast(home: Home, name = 'plain-icecast'): Promise<Icecast> {
  const port = await freePort()
  const user = childUser()
  const directory = await home.directory(name, { owner: user })
  const configFile = join(directory, 'icecast.xml')
  const identityFile = join(home.path, `${name}.json`)
  const xml = `<icecast>
  <limits><clients>100</clients><sources>20</sources></limits>
  <authentication><source-password>${PASSWORD}</source-password><admin-user>admin</admin-user><admin-password>${PASSWORD}</admin-password></authentication>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><logdir>${directory}</logdir><webroot>${directory}</webroot><adminroot>${directory}</adminroot></paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
</icecast>`
  return {
    port,
    async start() {
      await writeFile(configFile, xml)
      const logFile = join(directory, 'output.log')
      const command = { program: 'icecast2', args: ['-c', configFile], cwd: directory, logFile, identityFile, tag: '', user }
      const statistics = new URL(`http://127.0.0.1:${port}/admin/stats`)
      // 2.4.4 may die of whoever connects in its first moment, as the role under test does: then once more, until its statistics answer.
      const answering = async () => {
        const running = (await findDaemon(identityFile)) ?? (await startDaemon(command))
        await httpGet(statistics, { timeoutMs: 1000, maxBytes: 100_000, user: 'admin', password: PASSWORD })
        return running
      }
      const daemon = await waitFor('the statistics of icecast2', answering, { timeoutMs: 20_000 })
      return { [Symbol.asyncDispose]: () => stopDaemon(daemon, { identityFile, graceMs: 3000 }) }
    },
    async source(mount, headers = {}) {
      const socket = createConnection(port, '127.0.0.1')
      socket.on('error', () => {})
      const fields = {
        Authorization: `Basic ${Buffer.from(`source:${PASSWORD}`).toString('base64')}`,
        'Content-Type': 'audio/mpeg',
        ...headers,
      }
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
      socket.write([`SOURCE ${mount} HTTP/1.0`, ...lines, '\r\n'].join('\r\n'))
      await once(socket, 'data')
      const frames = silentFrames({ bitrateKbps: 128, sampleRate: 44_100 })
      const timer = setInterval(() => socket.write(frames.next()), frames.frameMs)
      return {
        async [Symbol.asyncDispose]() {
          clearInterval(timer)
          const closed = once(socket, 'close')
          socket.destroy()
          await closed
        },
      }
    },
  }
}

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  childUser,
  freePort,
  giveTo,
  httpGet,
  makeDirectory,
  portIsFree,
  signalProcess,
  startDaemon,
  stopDaemon,
  waitFor,
} from '@skipcast/runtime'

export const SOURCE_PASSWORD = 'a-password-of-tests'

/** A real icecast2 with one plain source password and no filler: enough for engines to connect to. */
export interface TestIcecast extends AsyncDisposable {
  readonly port: number
  readonly urlOf: (mount: string) => string
  /** The statistics page, as text. */
  status(): Promise<string>
  stop(): Promise<void>
  start(): Promise<void>
  /** Ends the source that feeds this mount. */
  end(mount: string): Promise<void>
  /** Stops answering, as a frozen process does, until `thaw`. */
  freeze(): void
  thaw(): void
}

export async function testIcecast(): Promise<TestIcecast> {
  const owner = childUser()
  const directory = await mkdtemp(join(tmpdir(), 'skipcast-icecast-'))
  await chmod(directory, 0o711)
  const port = await freePort()
  const logs = await makeDirectory(join(directory, 'logs'), { owner })
  const config = join(directory, 'icecast.xml')
  const identityFile = join(directory, 'identity.json')
  await writeFile(config, configuration(port, logs))
  giveTo(owner, config)
  let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined

  const start = async () => {
    const files = { cwd: logs, logFile: join(logs, 'output.log'), identityFile }
    daemon = await startDaemon({ program: 'icecast2', args: ['-c', config], tag: '', user: owner, ...files })
    await waitFor('icecast2 to listen', async () => !(await portIsFree(port, '127.0.0.1')), { timeoutMs: 10_000 })
  }
  const stop = async () => {
    if (daemon) await stopDaemon(daemon, { identityFile, graceMs: 3000 })
    daemon = undefined
  }
  await start()
  return {
    port,
    urlOf: (mount) => `http://127.0.0.1:${port}${mount}`,
    status: async () =>
      (await httpGet(new URL(`http://127.0.0.1:${port}/status-json.xsl`), { timeoutMs: 2000, maxBytes: 1_000_000 })).body,
    async end(mount) {
      const url = new URL(`http://127.0.0.1:${port}/admin/killsource?mount=${encodeURIComponent(mount)}`)
      await httpGet(url, { timeoutMs: 2000, maxBytes: 100_000, user: 'admin', password: SOURCE_PASSWORD })
    },
    start,
    stop,
    freeze: () => signalProcess(daemon!, 'SIGSTOP'),
    thaw: () => signalProcess(daemon!, 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function configuration(port: number, logs: string): string {
  return `<icecast>
  <limits><clients>200</clients><sources>100</sources><source-timeout>5</source-timeout></limits>
  <authentication><source-password>${SOURCE_PASSWORD}</source-password><admin-user>admin</admin-user><admin-password>${SOURCE_PASSWORD}</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <mount type="default"><charset>UTF-8</charset></mount>
  <paths><logdir>${logs}</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
  <logging><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
</icecast>`
}

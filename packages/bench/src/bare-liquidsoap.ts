import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childUser, freePort, startDaemon, stopDaemon, waitFor, writeFileAtomic, type Home } from '@skipcast/runtime'
import { openListener } from '@skipcast/testing'
import { firstSoundSince } from './first-sound.ts'

const SCRIPT = fileURLToPath(new URL('bare.liq', import.meta.url))
const POLL_MS = 20
const RANDOM_MOMENT_MS = 300

export interface BareStation extends AsyncDisposable {
  /** Starts Liquidsoap, and stops it again: the time from spawning it to the first sound at a polling listener, in ms. */
  start(): Promise<number>
}

/** Liquidsoap and Icecast without Skipcast: an Icecast that is up already, and a script with this playlist. */
export async function bareStation(home: Home, files: readonly string[]): Promise<BareStation> {
  const owner = childUser()
  const directory = await home.directory('bare', { owner })
  const playlist = join(home.path, 'bare-playlist.m3u')
  await writeFile(playlist, files.join('\n'), { mode: 0o644 })
  const password = randomBytes(16).toString('hex')
  const port = await freePort()
  const config = join(directory, 'icecast.xml')
  await writeFileAtomic(config, icecastXml(port, password, directory), { owner })

  const daemon = (program: string, args: readonly string[], env = {}) => ({
    program,
    args,
    env,
    cwd: directory,
    logFile: join(directory, `${program}.log`),
    identityFile: join(home.path, `${program}.json`),
    tag: '',
    user: owner,
  })
  const icecast = daemon('icecast2', ['-c', config])
  const liquidsoap = daemon('liquidsoap', [SCRIPT], { BARE_PLAYLIST: playlist, BARE_PORT: `${port}`, BARE_PASSWORD: password })
  const running = await startDaemon(icecast)
  const url = `http://127.0.0.1:${port}/bare`
  await using owned = new AsyncDisposableStack()
  owned.defer(() => stopDaemon(running, { identityFile: icecast.identityFile, graceMs: 2000 }))
  await waitFor('icecast2 to answer', async () => (await fetch(url)).status === 404, { timeoutMs: 10_000 })
  const stop = owned.move()

  return {
    async start() {
      await using listener = await openListener(url, { reconnectAfterMs: POLL_MS })
      await sleep(Math.random() * RANDOM_MOMENT_MS)
      const spawnedAt = performance.now()
      const started = await startDaemon(liquidsoap)
      try {
        return (await firstSoundSince(listener, spawnedAt)) - spawnedAt
      } finally {
        await stopDaemon(started, { identityFile: liquidsoap.identityFile, graceMs: 5000 })
        await waitFor('the mount to go', async () => (await fetch(url)).status === 404, { timeoutMs: 10_000 })
      }
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

/** The least that icecast2 runs on. Values are our own: digits, hex and a path of ours. */
function icecastXml(port: number, password: string, directory: string): string {
  return `<icecast>
  <limits><sources>2</sources></limits>
  <authentication><source-password>${password}</source-password><admin-user>admin</admin-user><admin-password>${password}</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><basedir>${directory}</basedir><logdir>${directory}</logdir><webroot>${directory}</webroot><adminroot>${directory}</adminroot></paths>
  <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>1</loglevel></logging>
</icecast>
`
}

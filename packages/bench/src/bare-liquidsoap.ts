import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childUser, startDaemon, stopDaemon, waitFor, type Home } from '@skipcast/runtime'
import { openListener } from '@skipcast/testing'
import { bareIcecast } from './bare-icecast.ts'
import { firstSoundSince } from './first-sound.ts'

const POLL_MS = 20
const RANDOM_MOMENT_MS = 300
const STOP_GRACE_MS = 5000
const GONE_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 120_000

/** What a bare script does to the audio. */
export type BareMode = 'copy' | 'encode'

const scripts: Readonly<Record<BareMode, string>> = {
  copy: fileURLToPath(new URL('bare-copy.liq', import.meta.url)),
  encode: fileURLToPath(new URL('bare.liq', import.meta.url)),
}

export interface BareStation extends AsyncDisposable {
  /** Starts Liquidsoap, and stops it again: the time from spawning it to the first sound at a polling listener, in ms. */
  start(): Promise<number>
  /** Starts so many more, a process and a mount each, and leaves them running. Resolves with their pids once all are connected. */
  startAll(mode: BareMode, count: number): Promise<number[]>
}

/** Liquidsoap and Icecast without Skipcast: an Icecast that is up already, and a script with this playlist. */
export async function bareStation(home: Home, files: readonly string[], sources = 2): Promise<BareStation> {
  const owner = childUser()
  const playlist = join(home.path, 'bare-playlist.m3u')
  await writeFile(playlist, files.join('\n'), { mode: 0o644 })
  await using owned = new AsyncDisposableStack()
  const icecast = owned.use(await bareIcecast(home, sources))
  const { directory, port } = icecast

  const spawn = (mode: BareMode, name: string) => ({
    program: 'liquidsoap',
    args: [scripts[mode]],
    env: { BARE_PLAYLIST: playlist, BARE_PORT: `${port}`, BARE_PASSWORD: icecast.password, BARE_MOUNT: `/${name}` },
    cwd: directory,
    logFile: join(directory, `${name}.log`),
    identityFile: join(home.path, `${name}.json`),
    tag: '',
    user: owner,
  })
  const startOne = async (mode: BareMode, name: string) => {
    const command = spawn(mode, name)
    const started = await startDaemon(command)
    return { pid: started.pid, stop: () => stopDaemon(started, { identityFile: command.identityFile, graceMs: STOP_GRACE_MS }) }
  }
  const url = (name: string) => `http://127.0.0.1:${port}/${name}`
  const stop = owned.move()

  return {
    async start() {
      await using listener = await openListener(url('bare'), { reconnectAfterMs: POLL_MS })
      await sleep(Math.random() * RANDOM_MOMENT_MS)
      const spawnedAt = performance.now()
      const started = await startOne('encode', 'bare')
      try {
        return (await firstSoundSince(listener, spawnedAt)) - spawnedAt
      } finally {
        await started.stop()
        await waitFor('the mount to go', async () => (await statusOf(url('bare'))) === 404, { timeoutMs: GONE_TIMEOUT_MS })
      }
    },
    async startAll(mode, count) {
      const pids: number[] = []
      for (let index = 0; index < count; index++) {
        const name = `bare-${mode}-${index}`
        const started = await startOne(mode, name)
        stop.defer(started.stop)
        pids.push(started.pid)
        // One after the other, as a machine of two cores would be busy for a minute with many at once.
        await waitFor(`${name} to play`, async () => (await statusOf(url(name))) === 200, { timeoutMs: CONNECT_TIMEOUT_MS })
      }
      return pids
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

/** Of a mount that would go on for ever. */
async function statusOf(url: string): Promise<number> {
  const answer = await fetch(url)
  await answer.body?.cancel()
  return answer.status
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childUser, signalProcess, startDaemon, stopDaemon, waitFor, type Daemon, type Home } from '@skipcast/runtime'
import { gapMeter, openListener, type Listener } from '@skipcast/testing'
import type { Outcome } from '@skipcast/testing/faults'
import { bareIcecast } from './bare-icecast.ts'

const LISTENERS = 5
const SOUND_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 5000
const CALM_MS = 1000

/** Liquidsoap and Icecast without Skipcast, as well as they can be set up: a live fallback mount, and a supervisor that starts again what ended. */
export interface BareFaults extends AsyncDisposable {
  /** kill -9 of Liquidsoap; the supervisor starts it again at once. */
  kill(): Promise<Outcome>
  /** SIGSTOP of Liquidsoap, which no supervisor sees. The programme does not come back by itself. */
  freeze(): Promise<Outcome>
}

export async function bareFaults(home: Home, files: readonly string[]): Promise<BareFaults> {
  await using owned = new AsyncDisposableStack()
  const user = childUser()
  const playlist = join(home.path, 'bare-playlist.m3u')
  await writeFile(playlist, files.join('\n'), { mode: 0o644 })
  const { directory, port, password } = owned.use(await bareIcecast(home, 4, { '/bare': '/silence' }))

  const start = (script: string, name: string) =>
    startDaemon({
      program: 'liquidsoap',
      args: [fileURLToPath(new URL(script, import.meta.url))],
      env: { BARE_PLAYLIST: playlist, BARE_PORT: `${port}`, BARE_PASSWORD: password, BARE_MOUNT: '/bare' },
      cwd: directory,
      logFile: join(directory, `${name}.log`),
      identityFile: identityOf(name),
      tag: '',
      user,
    })
  const identityOf = (name: string) => join(home.path, `${name}.json`)
  const stop = (daemon: Daemon, name: string) => stopDaemon(daemon, { identityFile: identityOf(name), graceMs: STOP_GRACE_MS })

  const filler = await start('bare-silence.liq', 'silence')
  owned.defer(() => stop(filler, 'silence'))
  let station = await start('bare.liq', 'bare')
  owned.defer(() => stop(station, 'bare'))

  const listeners: Listener[] = []
  const listen = async () => {
    const listener = await openListener(`http://127.0.0.1:${port}/bare`, { reconnectAfterMs: 250 })
    listeners.push(owned.use(listener))
  }
  const isHeard = (mark: number) =>
    listeners.every(({ sounds }) => (sounds.findLast((at) => at < performance.now() - CALM_MS) ?? 0) > mark)
  const heardSince = (mark: number) => waitFor('the bare station', () => isHeard(mark), { timeoutMs: SOUND_TIMEOUT_MS })
  await Promise.all(Array.from({ length: LISTENERS }, listen))
  await heardSince(0)

  const measure = async (fault: string, hurt: () => Promise<unknown>): Promise<Outcome> => {
    const closures = listeners.map((listener) => listener.closures.length)
    const at = performance.now()
    await hurt()
    const to = performance.now()
    return {
      fault,
      channelIds: [],
      listeners: listeners.length,
      kept: listeners.filter((listener, i) => listener.closures.length === closures[i]).length,
      gaps: listeners.map((listener) => gapMeter(listener).between(at, to).max),
      programmeBack: listeners.flatMap(({ sounds }) => firstAfterHole(sounds, at)),
      statusBehind: null,
      problems: [],
    }
  }
  const running = owned.move()
  return {
    kill: () =>
      measure('bare Liquidsoap killed, started again at once', async () => {
        const mark = performance.now()
        signalProcess(station, 'SIGKILL')
        station = await start('bare.liq', 'bare')
        await waitFor('filler', () => listeners.every((listener) => isSilentSince(listener, mark)), {
          timeoutMs: SOUND_TIMEOUT_MS,
        })
        await heardSince(performance.now())
      }),
    async freeze() {
      const outcome = await measure('bare Liquidsoap frozen (its programme never comes back)', async () => {
        const mark = performance.now()
        signalProcess(station, 'SIGSTOP')
        await waitFor('filler', () => listeners.every((listener) => isSilentSince(listener, mark)), {
          timeoutMs: SOUND_TIMEOUT_MS,
        })
      })
      signalProcess(station, 'SIGKILL')
      station = await start('bare.liq', 'bare')
      await heardSince(performance.now())
      return outcome
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function isSilentSince(listener: Listener, mark: number): boolean {
  return listener.framesSince(mark).at(-1)?.silent ?? false
}

/** Until the programme was heard again, where it was. */
function firstAfterHole(sounds: readonly number[], at: number): number[] {
  const after = sounds.filter((moment) => moment > at)
  const holes = after.map((moment, i) => ({ moment, ms: moment - (after[i - 1] ?? at) })).sort((a, b) => b.ms - a.ms)
  return holes[0] && holes[0].ms > CALM_MS ? [holes[0].moment - at] : []
}

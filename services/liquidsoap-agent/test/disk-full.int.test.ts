import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { isAlive, runCommand, waitFor } from '@skipcast/runtime'
import { hears, openListener, temporaryHome } from '@skipcast/testing'
import { enginesOf, rig } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast } from './test-icecast.ts'

const TIMEOUT_MS = 30_000
const MB = 1024 * 1024

/** A small disk of its own below this directory; null where nobody may mount one. */
async function smallDisk(directory: string): Promise<({ grow(): Promise<void> } & AsyncDisposable) | null> {
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const mount = (options: string) => runCommand('mount', ['-t', 'tmpfs', '-o', options, 'none', directory], { timeoutMs: 5000 })
  if ((await mount('size=8m,mode=711').catch(() => null)) === null) return null
  return {
    grow: async () => void (await mount('remount,size=64m')),
    async [Symbol.asyncDispose]() {
      await runCommand('umount', ['-l', directory], { timeoutMs: 5000 })
    },
  }
}

test('a full disk stops no programme that runs and no status, is told as what it is, and is over when there is room', async () => {
  await using owned = new AsyncDisposableStack()
  const icecast = owned.use(await testIcecast())
  const home = owned.use(await temporaryHome())
  const disk = await smallDisk(join(home.path, 'agent'))
  if (!disk) return console.warn('SKIPPED: no small disk may be mounted here (needs root)')
  owned.use(disk)
  owned.defer(async () => {
    for (const engine of await enginesOf(home.path)) if (isAlive(engine)) process.kill(engine.pid, 'SIGKILL')
  })
  const subject = owned.use(
    rig(home, { ICECAST_PORT: `${icecast.port}`, AGENT_RESYNC_MS: '500', DISK_RESERVE_MB: '1', SILENCE_AFTER_MS: '3000' }),
  )
  const low = await subject.tone('low', { frequencyHz: 440, seconds: 6 })
  const large = await subject.file('large', Buffer.alloc(9 * MB, 1), 60)
  owned.use(await subject.start())
  const until = (phase: string, code: string | null, since: number) =>
    subject.until(
      'part',
      `${phase} ${code}`,
      (status) => status.phase === phase && (status.last_error?.code ?? null) === code && status.occurred_at >= since,
      TIMEOUT_MS,
    )
  const start = (generation: number) => aStart('part', { source_token: SOURCE_PASSWORD, tracks: [low, large], generation })

  await subject.want(start(1))
  expect((await until('on_air', 'DISK_FULL', 0)).last_error!.message).toContain('1 of 2')

  const filler = join(home.path, 'agent/cache', '.filler')
  for (let sizeBytes = 8 * MB; sizeBytes >= 1; sizeBytes = Math.floor(sizeBytes / 2))
    await writeFile(filler, Buffer.alloc(sizeBytes), { flag: 'a' }).catch(() => {})
  await using listener = await openListener(icecast.urlOf('/part'), { reconnectAfterMs: 50 })
  await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
  let mark = Date.now()
  await subject.want(start(2))
  await until('on_air', 'DISK_FULL', mark)
  expect(listener.closures).toEqual([])

  mark = Date.now()
  await rm(filler)
  await disk.grow()
  await until('on_air', 'TRACKS_UNPLAYABLE', mark)
  const plays = () => subject.events.filter(({ event }) => event === 'track_started').length
  const before = plays()
  await waitFor('track plays to be told again', () => plays() > before, { timeoutMs: TIMEOUT_MS })
  expect(listener.closures).toEqual([])
  expect(subject.events.filter(({ event }) => event === 'channel_failed')).toEqual([])
}, 120_000)

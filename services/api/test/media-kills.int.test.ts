import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { busEnv, kafkaBus } from '@skipcast/bus'
import type { MediaEvent } from '@skipcast/contracts'
import { healthBoard, runCommand, silentLogger, waitFor } from '@skipcast/runtime'
import { testBroker } from '../../../packages/bus/test/test-broker.ts'
import { changePiece } from '../src/change-piece.ts'
import { importMedia } from '../src/import-media.ts'
import { sweepMedia } from '../src/sweep-media.ts'
import type { MediaOrder } from './media-process.ts'
import { testApi } from './test-api.ts'
import { relayMedia } from './test-worker.ts'

const PROCESS = fileURLToPath(new URL('media-process.ts', import.meta.url))
/** More than a member of a group may be silent (6 s), before its partitions go to others. */
const LONG_MS = 8000
const DAY_MS = 86_400_000

test('a job whose process is killed is done by the next one, once, though it takes longer than a member may be silent; nothing is left of the first', async () => {
  await using api = await testApi({ mediaMaxBytes: 200 * 1024 ** 2 })
  await using broker = await testBroker()
  await using bus = kafkaBus(busEnv.parse({ KAFKA_BROKER: broker.address }), { logger: silentLogger(), health: healthBoard() })
  const told: MediaEvent[] = []
  await using _relay = relayMedia({ ports: api.ports, database: api.database, bus, onEvent: (event) => told.push(event) })
  await using processes = mediaProcesses({
    broker: broker.address,
    homePath: dirname(api.mediaPath),
    mediaPath: api.mediaPath,
  })
  const file = join(dirname(api.mediaPath), 'long.flac')
  await runCommand('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=f=300:r=44100:d=300', file], { timeoutMs: 60_000 })

  const first = processes.start({ longerMs: 0 })
  const { user } = await api.user('dj')
  const { media } = await importMedia(api.ports, { ownerId: user.id, fileName: 'long.flac', bytes: createReadStream(file) })
  const [job] = await api.stores.mediaJobs.list(media.id, 1)
  const isUnderWay = async () => (await api.stores.mediaJobs.list(media.id, 1))[0]!.percent > 0
  await waitFor('half of it', isUnderWay, { timeoutMs: 90_000, everyMs: 5 })
  await processes.kill(first)
  expect((await api.stores.media.find(media.id))!.state).toBe('processing')

  processes.start({ longerMs: LONG_MS })
  const isReady = async () => (await api.stores.media.find(media.id))!.state === 'ready'
  await waitFor('the piece', isReady, { timeoutMs: 120_000, everyMs: 50 })
  await changePiece(api.ports, media.id, { title: 'Later' }) // read after all that is read again of this piece
  const isRetagged = async () => (await api.stores.mediaJobs.list(media.id, 1))[0]!.state === 'done'
  await waitFor('the new title', isRetagged, { timeoutMs: 60_000, everyMs: 50 })

  const ofJob = told.filter(({ job_id }) => job_id === job!.id)
  expect(ofJob.filter((event) => event.event === 'media_progress' && event.percent === 0)).toHaveLength(2)
  expect(ofJob.filter(({ event }) => event !== 'media_progress').map(({ event }) => event)).toEqual(['media_ready'])
  expect(await readdir(join(api.mediaPath, 'work', 'test'))).toEqual([])
  expect(await readdir(join(dirname(api.mediaPath), 'media-attempts'))).toEqual([])
  const twoDaysOn = await sweepMedia(api.ports, Date.now() + 2 * DAY_MS)
  // Of the file with the tags of before, which the retagged one replaced.
  expect(twoDaysOn).toMatchObject({ removed: 1, unfinished: 0 })
}, 400_000)

function mediaProcesses(order: Omit<MediaOrder, 'longerMs'>) {
  const living = new Set<ChildProcess>()
  const kill = async (child: ChildProcess) => {
    living.delete(child)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  return {
    start(own: Pick<MediaOrder, 'longerMs'>): ChildProcess {
      const child = fork(PROCESS, { stdio: 'ignore' })
      living.add(child)
      child.send({ ...order, ...own } satisfies MediaOrder)
      return child
    },
    kill,
    async [Symbol.asyncDispose]() {
      await Promise.all([...living].map(kill))
    },
  }
}

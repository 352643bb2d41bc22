import { chmod, copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryBus, type ServiceContext } from '@skipcast/bus'
import { stamp, type MediaEvent, type MediaJob } from '@skipcast/contracts'
import { folderStore, measureFile, type MediaKind } from '@skipcast/media-store'
import { healthBoard, meters, openHome, runCommand, silentLogger, waitFor } from '@skipcast/runtime'
import { startMedia } from '../src/media.ts'
import type { WorkPorts } from '../src/work.ts'

type Ended = Exclude<MediaEvent, { event: 'media_progress' }>
const ORIGIN = { application: 'skipcast', environment: 'test' }
const JOB_TIMEOUT_MS = 60_000

/** The role media on a folder, an in-memory bus and the real ffmpeg. */
export async function testMedia() {
  await using owned = new AsyncDisposableStack()
  const path = await mkdtemp(join(tmpdir(), 'skipcast-media-'))
  owned.defer(() => rm(path, { recursive: true, force: true }))
  await chmod(path, 0o711)
  const mediaPath = join(path, 'media')
  const store = folderStore(mediaPath)
  const bus = owned.use(memoryBus({ retry: { attempts: 5, firstMs: 5, mostMs: 20 } }))
  const events: MediaEvent[] = []
  owned.use(bus.consume({ topic: 'mediaEvents', group: 'test', handle: async (event) => void events.push(event) }))
  const home = await openHome(path)
  const health = healthBoard()
  const context = (): ServiceContext => ({
    bus,
    home,
    logger: silentLogger(),
    health,
    meters: meters(),
    serverId: 'one',
    origin: ORIGIN,
    onStop: 'stop',
  })
  const config = { mediaStore: { path: mediaPath, s3: null }, consumerGroup: 'media', jobsAtOnce: 2 }
  let files = 0

  const stack = owned.move()
  return {
    path,
    store,
    events,
    bus,
    health,
    /** What jobs leave behind while they run. */
    workFiles: () => readdir(join(mediaPath, 'work', 'one')),
    start: (overrides: Partial<WorkPorts> = {}) => startMedia(config, context(), overrides),
    async keep(file: string, kind: MediaKind = 'originals'): Promise<string> {
      const { sha256 } = await measureFile(file)
      const copy = join(path, `copy-${files++}`)
      await copyFile(file, copy)
      await store.put({ kind, sha256 }, copy)
      return sha256
    },
    /** Asks for a job; resolves to its id. */
    async ask(job: JobFields): Promise<string> {
      const id = `job-${files++}`
      const subject = job.event === 'make_artwork' ? {} : { media_id: `media-${id}` }
      await bus.publish('mediaJobs', [{ key: id, value: { ...stamp(ORIGIN, Date.now(), id), ...subject, ...job } as MediaJob }])
      return id
    },
    ended: (id: string): Promise<Ended> =>
      waitFor(
        `the end of ${id}`,
        () => events.find((event): event is Ended => event.job_id === id && event.event !== 'media_progress'),
        { timeoutMs: JOB_TIMEOUT_MS, everyMs: 10 },
      ),
    /** Copies a stored file out, and tells what ffprobe says of it. */
    async look(sha256: string, kind: MediaKind = 'originals') {
      const copy = join(path, `look-${files++}`)
      await store.fetchTo({ kind, sha256 }, copy)
      return { path: copy, ...(await ffprobe(copy)) }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export type TestMedia = Awaited<ReturnType<typeof testMedia>>
type JobFields = MediaJob extends infer J
  ? J extends MediaJob
    ? Omit<J, keyof ReturnType<typeof stamp> | 'media_id'>
    : never
  : never

export const AIR = { bitrate_kbps: 128, sample_rate: 44_100 }

async function ffprobe(path: string) {
  const args = ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', `file:${path}`]
  const { stdout } = await runCommand('ffprobe', args, { timeoutMs: 20_000 })
  const { format, streams } = JSON.parse(stdout.toString()) as {
    format: { duration: string; format_name: string; tags?: Record<string, string> }
    streams: { codec_name: string; codec_type: string; width?: number; height?: number; tags?: Record<string, string> }[]
  }
  return { format, streams, tags: { ...streams[0]?.tags, ...format.tags } }
}

export async function ffmpeg(...args: string[]): Promise<void> {
  await runCommand('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeoutMs: 60_000 })
}

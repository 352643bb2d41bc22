import type { ServiceContext } from '@skipcast/bus'
import { mediaPath, openMediaStore } from '@skipcast/media-store'
import { childUser } from '@skipcast/runtime'
import { attemptFiles } from './adapters/attempt-files.ts'
import { ffmpeg } from './adapters/ffmpeg.ts'
import { workplaces } from './adapters/workplaces.ts'
import type { MediaConfig } from './config.ts'
import { mediaTelemetry } from './telemetry.ts'
import { turns } from './turns.ts'
import { jobWorker, type WorkPorts } from './work.ts'

export { mediaEnv, type MediaConfig } from './config.ts'

/**
 * Starts the role `media`:
 *
 *   bus ─► job ─► turn ─► original from the store ─► ffmpeg ─► air file, drawing, cover to the store ─► bus
 *
 * The bus and the store may be away; it goes on by itself. Closing kills what runs: such jobs are done by whoever reads them next.
 */
export async function startMedia(
  config: MediaConfig,
  context: ServiceContext,
  overrides: Partial<WorkPorts> = {},
): Promise<AsyncDisposable> {
  const { bus, home, health, logger, meters, origin, serverId } = context
  const user = childUser()
  const stop = new AbortController()
  const work = jobWorker({
    tools: ffmpeg({ user, stop: stop.signal }),
    store: await openMediaStore(config.mediaStore, home),
    openWorkplace: await workplaces({ path: mediaPath(config.mediaStore, home), serverId, user }),
    attempts: attemptFiles(await home.directory('media-attempts'), Date.now),
    telemetry: mediaTelemetry(logger, health, meters),
    bus,
    origin,
    now: Date.now,
    stop: stop.signal,
    ...overrides,
  })
  const takeTurn = turns(config.jobsAtOnce)
  const handle: typeof work = (job) => takeTurn(() => work(job))
  const consumer = bus.consume({ topic: 'mediaJobs', group: config.consumerGroup, handle })
  return {
    async [Symbol.asyncDispose]() {
      const closed = consumer[Symbol.asyncDispose]()
      stop.abort()
      await closed
    },
  }
}

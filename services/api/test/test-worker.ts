import { memoryBus, type ServiceContext } from '@skipcast/bus'
import { mediaEvent, mediaJob } from '@skipcast/contracts'
import type { Database } from '@skipcast/db'
import { startMedia } from '@skipcast/media'
import { healthBoard, meters, openHome, silentLogger, startLoop } from '@skipcast/runtime'
import type { ApiPorts } from '../src/ports.ts'
import { mediaEventRecorder } from '../src/record-media-event.ts'

const RELAY_EVERY_MS = 20
const TAKE_JOBS = { name: 'take-jobs', text: `DELETE FROM outbox WHERE topic = 'mediaJobs' RETURNING id::text, payload` }

/** The role media beside an API under test, with the real ffmpeg: its jobs go from the outbox to it, what it tells comes back. Other commands stay in the outbox. */
export async function testWorker(options: {
  readonly ports: ApiPorts
  readonly mediaPath: string
  readonly homePath: string
  readonly database: Pick<Database, 'query'>
}): Promise<AsyncDisposable> {
  await using owned = new AsyncDisposableStack()
  const bus = owned.use(memoryBus())
  const context: ServiceContext = {
    bus,
    home: await openHome(options.homePath),
    logger: silentLogger(),
    health: healthBoard(),
    meters: meters(),
    serverId: 'test',
    origin: options.ports.jobs.origin,
    onStop: 'stop',
  }
  const config = { mediaStore: { path: options.mediaPath, s3: null }, consumerGroup: 'media', jobsAtOnce: 2 }
  owned.use(await startMedia(config, context))
  const record = mediaEventRecorder(options.ports)
  owned.use(bus.consume({ topic: 'mediaEvents', group: 'api', handle: (event) => record(mediaEvent.parse(event)) }))
  const relay = async () => {
    const rows = await options.database.query<{ id: string; payload: unknown }>(TAKE_JOBS, [])
    const jobs = rows.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ payload }) => mediaJob.parse(payload))
    if (jobs.length > 0)
      await bus.publish(
        'mediaJobs',
        jobs.map((value) => ({ key: value.event === 'make_artwork' ? value.channel_id : value.media_id, value })),
      )
  }
  owned.use(startLoop(relay, { everyMs: RELAY_EVERY_MS, onError: () => {} }))
  return owned.move()
}

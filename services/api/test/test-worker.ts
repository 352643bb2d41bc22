import { memoryBus, type Bus, type ServiceContext } from '@skipcast/bus'
import { mediaEvent, mediaJob, type MediaEvent, type MediaJob } from '@skipcast/contracts'
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
  owned.use(relayMedia({ ...options, bus }))
  return owned.move()
}

/** Takes jobs from the outbox to a bus, and records what is told there of them. */
export function relayMedia(options: {
  readonly ports: ApiPorts
  readonly database: Pick<Database, 'query'>
  readonly bus: Bus
  readonly onEvent?: (event: MediaEvent) => void
}): AsyncDisposable {
  const { bus, database, onEvent = () => {} } = options
  const owned = new AsyncDisposableStack()
  const record = mediaEventRecorder(options.ports)
  const handle = async (told: MediaEvent) => {
    const event = mediaEvent.parse(told)
    await record(event)
    onEvent(event)
  }
  owned.use(bus.consume({ topic: 'mediaEvents', group: 'api', handle }))
  let jobs: MediaJob[] = []
  const relay = async () => {
    const rows = await database.query<{ id: string; payload: unknown }>(TAKE_JOBS, [])
    jobs.push(...rows.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ payload }) => mediaJob.parse(payload)))
    if (jobs.length === 0) return
    await bus.publish(
      'mediaJobs',
      jobs.map((value) => ({ key: value.event === 'make_artwork' ? value.channel_id : value.media_id, value })),
    )
    jobs = []
  }
  owned.use(startLoop(relay, { everyMs: RELAY_EVERY_MS, onError: () => {} }))
  return owned
}

import { setTimeout as sleep } from 'node:timers/promises'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { startMedia } from '@skipcast/media'
import { folderStore } from '@skipcast/media-store'
import { healthBoard, meters, openHome, silentLogger } from '@skipcast/runtime'

/** What the test tells the process first. */
export interface MediaOrder {
  readonly broker: string
  readonly homePath: string
  readonly mediaPath: string
  /** Each job takes so much longer. */
  readonly longerMs: number
}

/** The role media in a process of its own, which is made to be killed. */
process.once('message', (order: MediaOrder) => void run(order))
process.once('disconnect', () => process.exit(0))

async function run({ broker, homePath, mediaPath, longerMs }: MediaOrder): Promise<void> {
  const logger = silentLogger()
  const health = healthBoard()
  const store = folderStore(mediaPath)
  const fetchTo: typeof store.fetchTo = async (...args) => {
    await sleep(longerMs)
    await store.fetchTo(...args)
  }
  await startMedia(
    { mediaStore: { path: mediaPath, s3: null }, consumerGroup: 'media', jobsAtOnce: 2 },
    {
      bus: kafkaBus(busEnv.parse({ KAFKA_BROKER: broker }), { logger, health }),
      home: await openHome(homePath),
      logger,
      health,
      meters: meters(),
      serverId: 'test',
      origin: { application: 'skipcast', environment: 'test' },
      onStop: 'stop',
    },
    { store: { ...store, fetchTo } },
  )
}

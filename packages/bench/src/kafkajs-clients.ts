import { calmRequestQueues } from '@skipcast/bus'
import { topics } from '@skipcast/contracts'
import { Kafka, logLevel } from 'kafkajs'

/**
 * The process that `idle-cost` measures: `<broker> <plain|calm> <clients>`. Consumers of Skipcast's busiest topic, all caught up, that ask
 * as the bus does; kafkajs as it comes, or with what packages/bus does to it. Says "ready", and idles until it is killed.
 */
const [broker, cure, clients] = process.argv.slice(2)
if (cure === 'calm') calmRequestQueues()
const { defaultName } = topics.listenerMetrics

async function consumer(index: number): Promise<void> {
  const kafka = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING })
  const reading = kafka.consumer({ groupId: `bench-${process.pid}-${index}`, maxWaitTimeInMs: 500 })
  const joined = Promise.withResolvers<void>()
  reading.on(reading.events.GROUP_JOIN, () => joined.resolve())
  await reading.connect()
  await reading.subscribe({ topics: [defaultName] })
  await reading.run({ autoCommit: false, eachBatch: async () => {} })
  await joined.promise
}

await Promise.all(Array.from({ length: Number(clients) }, (_, index) => consumer(index)))
process.stdout.write('ready\n')

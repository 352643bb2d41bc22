import { Kafka, logLevel, Partitioners } from 'kafkajs'
import type { Database } from '@skipcast/db'

const PER_QUERY = 100

interface Row {
  readonly id: bigint
  readonly key: string
  readonly payload: unknown
}

/** Two ways to do without our relay. */
export interface BareOutbox extends AsyncDisposable {
  /** The usual relay: reads rows of a table as ours, sends them one by one, forgets each. Resolves with events per second. */
  oneByOne(template: string, events: number): Promise<number>
  /** No database at all: what Kafka takes of the same messages, so many to a request. Resolves with events per second. */
  withoutDatabase(template: string, events: number, perRequest: number): Promise<number>
}

export async function bareOutbox(broker: string, topic: string, database: Database): Promise<BareOutbox> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await database.run((client) => client.$executeRaw`CREATE TABLE IF NOT EXISTS bare_outbox (LIKE outbox INCLUDING ALL)`)
  const send = (rows: readonly { key: string; payload: unknown }[]) => {
    const messages = rows.map(({ key, payload }) => ({ key, value: JSON.stringify(payload) }))
    return producer.send({ topic, acks: -1, messages })
  }
  const rate = async (events: number, work: () => Promise<void>) => {
    const startedAt = performance.now()
    await work()
    return events / ((performance.now() - startedAt) / 1000)
  }

  return {
    async oneByOne(template, events) {
      await database.run(
        (client) => client.$executeRaw`
          INSERT INTO bare_outbox (topic, key, payload)
          SELECT ${topic}, 'bare-' || n % 100, ${template}::json FROM generate_series(1, ${events}::int) n`,
      )
      return rate(events, async () => {
        for (;;) {
          const rows = await database.run(
            (client) => client.$queryRaw<Row[]>`SELECT id, key, payload FROM bare_outbox ORDER BY id LIMIT ${PER_QUERY}::int`,
          )
          if (rows.length === 0) return
          for (const row of rows) {
            await send([row])
            await database.run((client) => client.$executeRaw`DELETE FROM bare_outbox WHERE id = ${row.id}`)
          }
        }
      })
    },
    withoutDatabase(template, events, perRequest) {
      const rows = Array.from({ length: perRequest }, (_, index) => ({
        key: `bare-${index % 100}`,
        payload: JSON.parse(template),
      }))
      return rate(events, async () => {
        for (let sent = 0; sent < events; sent += perRequest) await send(rows)
      })
    },
    async [Symbol.asyncDispose]() {
      await producer.disconnect()
      await database.run((client) => client.$executeRaw`DROP TABLE IF EXISTS bare_outbox`)
    },
  }
}

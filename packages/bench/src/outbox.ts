import { stamp, streamCommand, topics } from '@skipcast/contracts'
import { OUTBOX_CHANNEL, type Database } from '@skipcast/db'
import { waitFor } from '@skipcast/runtime'
import { startSkipcast, summarise, temporaryHome, untilReady } from '@skipcast/testing'
import { bareOutbox } from './bare-outbox.ts'
import type { Benchmark } from './benchmark.ts'
import { homeBroker } from './home-broker.ts'
import { homeDatabase } from './home-database.ts'
import { costOf } from './process-cost.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const TARGET_PER_SECOND = 10_000
const CHANNELS = 100
const PER_REQUEST = 500
/** Of the time that a round takes, in ms per second: short of its end. */
const MEASURED_SHARE = 700
const EMPTY_TIMEOUT_MS = 120_000
/** Stands in the template where each row has a number of its own. */
const NUMBER = 987_654_321

export const outbox: Benchmark<{ events: number; bare: number; rounds: number }> = {
  name: 'outbox',
  summary: 'events per second through the outbox: committed in PostgreSQL → acknowledged by Kafka and forgotten',
  settings: { events: 20_000, bare: 500, rounds: 5 },
  async run({ events, bare, rounds }, say) {
    await using home = await temporaryHome()
    await using server = await startSkipcast(home.path, { SERVER_ROLES: 'api,media,kafka' })
    await untilReady(server)
    await using database = await homeDatabase(home)
    await using rival = await bareOutbox(await homeBroker(home), topics.streamCommands.defaultName, database)
    const template = command()
    const found = { relay: [] as number[], oneByOne: [] as number[], kafka: [] as number[] }
    await drain(database, template, events) // the first makes the code warm
    for (let round = 0; round < rounds; round++) {
      say(`${events} events, round ${round + 1} of ${rounds}`)
      found.relay.push(await drain(database, template, events))
      found.oneByOne.push(await rival.oneByOne(template, bare))
      found.kafka.push(await rival.withoutDatabase(template, events, PER_REQUEST))
    }
    say('once more, for the CPU')
    let cpu = Number.NaN
    await drain(database, template, events, async () => {
      cpu = (await costOf([server.pid], (events / summarise(found.relay).p50) * MEASURED_SHARE)).cpuPercent
    })

    const median = (values: readonly number[]) => summarise(values).p50
    const ours = median(found.relay)
    const line = (name: string, values: readonly number[], ...more: string[]) => {
      const [least, most] = [Math.min(...values), Math.max(...values)]
      return [name, ...[median(values), least, most].map((value) => value.toFixed(0)), ...more]
    }
    return table(
      ['outbox, events per second', 'p50', 'least', 'most', 'target', 'ours / this', 'CPU, % of a core'],
      [
        line(
          'Skipcast: PostgreSQL → Kafka',
          found.relay,
          verdict(ours >= TARGET_PER_SECOND, `≥ ${TARGET_PER_SECOND}`),
          '',
          cpu.toFixed(0),
        ),
        line('the usual relay, one by one', found.oneByOne, '', `${(ours / median(found.oneByOne)).toFixed(0)}x`),
        line(`Kafka alone, ${PER_REQUEST} to a request`, found.kafka, '', `${(ours / median(found.kafka)).toFixed(1)}x`),
      ],
    )
  },
}

/** Commits so many events at once and waits until the relay has forgotten the last: events per second. */
async function drain(database: Database, template: string, events: number, meanwhile?: () => Promise<void>): Promise<number> {
  await database.transaction(async (session) => {
    await session.$executeRaw`
      INSERT INTO outbox (topic, key, payload)
      SELECT 'streamCommands', 'channel-' || n % ${CHANNELS}::int, replace(${template}, ${String(NUMBER)}, n::text)::json
      FROM generate_series(1, ${events}::int) n`
    await session.$executeRaw`SELECT pg_notify(${OUTBOX_CHANNEL}, '')`
  })
  const committedAt = performance.now()
  const aside = meanwhile?.()
  const isEmpty = () => database.run(async (client) => (await client.outboxRow.findFirst({ select: { id: true } })) === null)
  await waitFor('the outbox to be empty', isEmpty, { timeoutMs: EMPTY_TIMEOUT_MS, everyMs: 20 })
  const seconds = (performance.now() - committedAt) / 1000
  await aside
  return events / seconds
}

/** The command to play one track, as the API writes it. */
function command(): string {
  const id = `bench:${NUMBER}`
  const track = {
    media_id: 'm'.repeat(36),
    sha256: 'a'.repeat(64),
    size_bytes: 4e6,
    duration_ms: 2e5,
    title: 'Title',
    artist: 'Artist',
  }
  return JSON.stringify(
    streamCommand.parse({
      ...stamp({ application: 'skipcast', environment: 'bench' }, Date.now(), id),
      event: 'start_stream',
      channel_id: 'bench',
      channel_slug: 'bench',
      generation: NUMBER,
      epoch: 1,
      server_id: 'nobody',
      mount: '/bench',
      source_token: 't'.repeat(60),
      name: 'Bench',
      description: '',

      mode: 'copy',
      bitrate_kbps: 128,
      tracks: [track],
    }),
  )
}

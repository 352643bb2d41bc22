import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { busEnv, kafkaBus } from '@skipcast/bus'
import { topics } from '@skipcast/contracts'
import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { processesOf, startSkipcast, temporaryHome } from '@skipcast/testing'
import { Kafka, logLevel, Partitioners, type Message } from 'kafkajs'
import type { Benchmark } from './benchmark.ts'
import { homeBroker } from './home-broker.ts'
import { cpuSecondsOf } from './process-cost.ts'
import { channelId, scaleCommand, scaleStatus } from './scale-messages.ts'
import type { ReadOrder, ReadResult } from './scale-reader.ts'
import { table } from './table.ts'

const READER = fileURLToPath(new URL('scale-reader.ts', import.meta.url))
const START_TIMEOUT_MS = 90_000
const STATUS_EVERY_S = 5
const HEARTBEAT_EVERY_S = 0.5
const FULL_PICTURE_EVERY_S = 60
const TRACK_S = 210
const MB = 1024 * 1024
const REQUEST_BYTES = MB
/** What an agent's pass tells at once. */
const STATUSES_AT_ONCE = 100

export const scale: Benchmark<{ channels: number; tracks: number; servers: number; statuses: number }> = {
  name: 'scale',
  summary: 'what a fleet asks of Kafka: topics filled as it would, who starts from them, messages a second',
  settings: { channels: 100_000, tracks: 30, servers: 1000, statuses: 100_000 },
  async run({ channels, tracks, servers, statuses }, say) {
    await using home = await temporaryHome()
    await using _server = await startSkipcast(home.path, { SERVER_ROLES: 'kafka' })
    const broker = await homeBroker(home)
    await using bus = kafkaBus(busEnv.parse({ KAFKA_BROKER: broker }), { logger: silentLogger(), health: healthBoard() })
    const at = Date.now()
    const first = { key: channelId(0), value: scaleCommand(0, { servers, tracks }, at) }
    // Which makes the topics, as they should be.
    const isThere = async () => bus.publish('streamCommands', [first]).then(() => true)
    await waitFor('the broker', isThere, { timeoutMs: START_TIMEOUT_MS, everyMs: 200 })

    say(`${channels} commands of ${tracks} tracks`)
    const commandBytes = JSON.stringify(first.value).length
    const filled = await fill(broker, topics.streamCommands.defaultName, channels, (channel) => ({
      key: channelId(channel),
      value: JSON.stringify(scaleCommand(channel, { servers, tracks }, at)),
    }))
    say('an agent starts from them')
    const agent = await read({ broker, topic: 'streamCommands', more: 0 })

    say(`${statuses} statuses, told as agents tell them`)
    const brokerPid = (await processesOf(home.path)).find(({ command }) => command.includes('kafka.Kafka'))!.pid
    const statusBytes = JSON.stringify(scaleStatus(0, servers, at)).length
    const reader = readMore({ broker, topic: 'streamStatus', more: statuses })
    await reader.ready
    const before = { broker: await cpuSecondsOf(brokerPid), own: process.cpuUsage(), at: performance.now() }
    for (let channel = 0; channel < statuses; channel += STATUSES_AT_ONCE * 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, part) => {
          const from = channel + part * STATUSES_AT_ONCE
          const count = Math.max(0, Math.min(STATUSES_AT_ONCE, statuses - from))
          return bus.publish(
            'streamStatus',
            Array.from({ length: count }, (__, i) => ({
              key: channelId(from + i),
              value: scaleStatus(from + i, servers, Date.now()),
            })),
          )
        }),
      )
    const tookS = (performance.now() - before.at) / 1000
    const own = process.cpuUsage(before.own)
    const heard = await reader.result
    const brokerUs = (((await cpuSecondsOf(brokerPid)) - before.broker) * 1e6) / statuses

    const perSecond = {
      statuses: channels / STATUS_EVERY_S,
      heartbeats: servers / HEARTBEAT_EVERY_S,
      plays: channels / TRACK_S,
      listeners: channels / FULL_PICTURE_EVERY_S,
    }
    const share = (us: number) => ((perSecond.statuses * us) / 1e6) * 100
    const readerUs = (heard.moreCpuMs * 1000) / statuses
    const number = (value: number, digits = 0) => value.toFixed(digits)
    return [
      `${channels} channels of ${tracks} tracks, ${servers} servers`,
      table(
        ['topic', 'bytes each', 'records', 'MB, compacted', 'messages/s', 'MB/s written'],
        [
          [
            'commands',
            number(commandBytes),
            number(channels),
            number((channels * commandBytes) / MB),
            'as people change something',
            '',
          ],
          row('statuses', statusBytes, channels, perSecond.statuses),
          row('heartbeats', 500, servers, perSecond.heartbeats),
          [
            'track plays and other events',
            '~600',
            'kept 30 days',
            '',
            number(perSecond.plays),
            number((perSecond.plays * 600) / MB, 1),
          ],
          [
            'listener counts, full picture',
            '~500',
            'kept 7 days',
            '',
            number(perSecond.listeners),
            number((perSecond.listeners * 500) / MB, 1),
          ],
        ],
      ),
      table(
        ['measured', 'value'],
        [
          ['commands written, MB/s', number(filled.bytes / MB / filled.seconds)],
          ['agent starts from all commands, s', number(agent.caughtUpMs / 1000, 1)],
          ['its CPU for that, s', number(agent.cpuMs / 1000, 1)],
          ['its memory, MB: kept / peak', `${number(agent.keptMb)} / ${number(agent.peakMb)}`],
          ['one look for its own among them, ms', number(agent.lookMs, 1)],
          [`statuses through one producer and one broker, per second`, number(statuses / tookS)],
          ['CPU per status, µs: broker', number(brokerUs)],
          ['… who tells it', number((own.user + own.system) / statuses)],
          ['… each reader', number(readerUs)],
          [`all statuses: of a core of the broker, %`, number(share(brokerUs))],
          [`… of a core of each reader (API, metrics), %`, number(share(readerUs))],
        ],
      ),
    ].join('\n\n')

    function row(name: string, bytes: number, records: number, rate: number): string[] {
      return [name, number(bytes), number(records), number((records * bytes) / MB), number(rate), number((rate * bytes) / MB, 1)]
    }
  },
}

/** Writes so many records as fast as Kafka takes them. */
async function fill(broker: string, topic: string, count: number, recordOf: (index: number) => Message) {
  const producer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const startedAt = performance.now()
  let bytes = 0
  let waiting: Message[] = []
  let waitingBytes = 0
  for (let index = 0; index < count; index++) {
    const record = recordOf(index)
    waiting.push(record)
    waitingBytes += (record.value as string).length
    if (waitingBytes < REQUEST_BYTES && index < count - 1) continue
    await producer.send({ topic, acks: -1, messages: waiting })
    bytes += waitingBytes
    waiting = []
    waitingBytes = 0
  }
  const seconds = (performance.now() - startedAt) / 1000
  await producer.disconnect()
  return { bytes, seconds }
}

async function read(order: ReadOrder): Promise<ReadResult> {
  return readMore(order).result
}

/** A process of its own, so that what it takes is its own. */
function readMore(order: ReadOrder): { ready: Promise<unknown>; result: Promise<ReadResult> } {
  const child = fork(READER, [JSON.stringify(order)], { execArgv: ['--expose-gc'] })
  const ready = Promise.withResolvers<void>()
  const result = Promise.withResolvers<ReadResult>()
  child.on('message', (message: ReadResult | 'ready') => (message === 'ready' ? ready.resolve() : result.resolve(message)))
  void once(child, 'exit').then(([code, signal]) => {
    const ended = new Error(`the reader ended with ${code ?? signal}: most likely it had too little memory`)
    ready.reject(ended)
    result.reject(ended)
  })
  ready.promise.catch(() => {})
  result.promise.catch(() => {})
  return { ready: ready.promise, result: result.promise }
}

import { busEnv, kafkaBus } from '@skipcast/bus'
import { healthBoard, silentLogger } from '@skipcast/runtime'
import { seatsOf } from '../../../services/liquidsoap-agent/src/domain/seat.ts'

/** What one process shall read: a state topic, from its beginning, as a service that has just started. */
export interface ReadOrder {
  readonly broker: string
  readonly topic: 'streamCommands' | 'streamStatus'
  /** After it has caught up, it reads on until so many records came. */
  readonly more: number
}

export interface ReadResult {
  readonly caughtUpMs: number
  readonly records: number
  readonly peakMb: number
  readonly keptMb: number
  /** CPU until it had caught up, in ms. */
  readonly cpuMs: number
  /** One look for the commands of one server, as each pass of an agent has it. */
  readonly lookMs: number
  /** CPU for what came after, in ms. */
  readonly moreCpuMs: number
}

const LOOKS = 20

const order = JSON.parse(process.argv[2]!) as ReadOrder
const startedAt = performance.now()
const bus = kafkaBus(busEnv.parse({ KAFKA_BROKER: order.broker }), { logger: silentLogger(), health: healthBoard() })
const view = bus.watch(order.topic)
await view.caughtUp
const caughtUpMs = performance.now() - startedAt
const cpuMs = cpuSpentMs()
let lookMs = 0
if (order.topic === 'streamCommands') {
  const commands = bus.watch('streamCommands')
  await commands.caughtUp
  const lookedAt = performance.now()
  for (let look = 0; look < LOOKS; look++) seatsOf('server-0001', commands.values)
  lookMs = (performance.now() - lookedAt) / LOOKS
}
gc!()
const keptMb = process.memoryUsage().rss / 1024 ** 2
const before = cpuSpentMs()
if (order.more > 0) {
  process.send?.('ready')
  await new Promise<void>((done) => {
    let came = 0
    view.onChange((key) => key !== null && ++came >= order.more && done())
  })
}
const result: ReadResult = {
  caughtUpMs,
  records: view.values.size,
  peakMb: process.resourceUsage().maxRSS / 1024,
  keptMb,
  cpuMs,
  lookMs,
  moreCpuMs: cpuSpentMs() - before,
}
process.send?.(result)
process.disconnect()
process.exit()

function cpuSpentMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

import { healthBoard, silentLogger, waitFor } from '@skipcast/runtime'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { kafkaBus, type Bus } from '../src/index.ts'
import { channelStarted, configFor, heartbeat } from './samples.ts'
import { testBroker, type TestBroker } from './test-broker.ts'

const LIMIT = { timeoutMs: 60_000 }

describe('the bus on a Kafka that comes and goes', () => {
  jest.setTimeout(180_000)
  const warnings: string[] = []
  const onWarning = (warning: Error) => void warnings.push(warning.name)
  let broker: TestBroker

  beforeAll(async () => {
    process.on('warning', onWarning)
    broker = await testBroker()
  })
  afterAll(async () => {
    process.off('warning', onWarning)
    await broker[Symbol.asyncDispose]()
  })

  const busOn = (prefix: string, health = healthBoard()): Bus =>
    kafkaBus(configFor(broker.address, prefix), { logger: silentLogger(), health })
  /** Like the outbox relay: again until it is acknowledged. */
  const insistOn = (what: string, publish: () => Promise<void>) =>
    waitFor(
      `${what} to be taken`,
      () =>
        publish().then(
          () => true,
          () => false,
        ),
      LIMIT,
    )
  const insist = (bus: Bus, id: string) =>
    insistOn(`record ${id}`, () => bus.publish('streamEvents', [{ key: 'channel-1', value: channelStarted(id) }]))

  test('it can be made before there is a broker, says so, and begins by itself', async () => {
    await broker.kill()
    const health = healthBoard()
    await using bus = busOn('early', health)
    const view = bus.watch('serverHeartbeats')
    const ids: string[] = []
    bus.consume({ topic: 'streamEvents', group: 'early', handle: async ({ id }) => void ids.push(id) })
    await waitFor('the problem to be told', () => health.read()['bus']?.ok === false, LIMIT)
    await broker.start()
    await view.caughtUp
    await insist(bus, '1')
    await waitFor('the record', () => ids.includes('1'), LIMIT)
    await waitFor('the health to be well', () => health.read()['bus']?.ok, LIMIT)
  })

  test('nothing that was acknowledged is lost, and the order holds, however often the broker is killed', async () => {
    await using bus = busOn('killed')
    const seen: string[] = []
    bus.consume({ topic: 'streamEvents', group: 'killed', handle: async ({ id }) => void seen.push(id) })
    const over = new AbortController()
    let last = 0
    const publishing = (async () => {
      while (!over.signal.aborted) await insist(bus, String(++last))
    })()
    for (let round = 1; round <= 2; round++) {
      const before = last
      await waitFor('some records', () => last > before + 50, LIMIT)
      await broker.kill()
      await broker.start()
    }
    over.abort()
    await publishing
    await waitFor('the last record', () => seen.includes(String(last)), LIMIT)
    const firstTimes = [...new Set(seen)]
    expect(firstTimes).toEqual(Array.from({ length: last }, (_, index) => String(index + 1)))
  })

  test('a view never goes back in time, and misses no change of the time in which it could not see', async () => {
    await using bus = busOn('view')
    await using other = busOn('view')
    const beat = (key: string, load: number) => ({ key, value: heartbeat(key, load) })
    const first = [beat('a', 1), beat('a', 2), beat('a', 3), beat('gone', 1)]
    await insistOn('the first', () => bus.publish('serverHeartbeats', first)) // which makes the topics
    const view = bus.watch('serverHeartbeats')
    await view.caughtUp
    const loads: (number | undefined)[] = []
    view.onChange((key) => key === 'a' && loads.push(view.values.get('a')?.load))

    await broker.kill()
    await broker.start()
    await insistOn('the changes', () => other.publish('serverHeartbeats', [beat('a', 4), { key: 'gone', value: null }]))
    await waitFor('the view', () => view.values.get('a')?.load === 4 && !view.values.has('gone'), LIMIT)
    expect(loads.at(-1)).toBe(4)
    expect(loads).toEqual(loads.toSorted((one, two) => one! - two!))
  })

  test('a broker that lost its disk is a fresh start: topics are made again, and views become what is there now', async () => {
    await using bus = busOn('wiped')
    const view = bus.watch('serverHeartbeats')
    const ids: string[] = []
    bus.consume({ topic: 'streamEvents', group: 'wiped', handle: async ({ id }) => void ids.push(id) })
    await insistOn('the first', () => bus.publish('serverHeartbeats', [{ key: 'old', value: heartbeat('old', 1) }]))
    for (const id of ['1', '2', '3']) await insist(bus, id)
    await waitFor('all is well', () => view.values.has('old') && ids.length >= 3, LIMIT)

    await broker.kill()
    await broker.wipe()
    await broker.start()
    await insist(bus, 'new')
    await waitFor('the view', () => view.values.size === 0, LIMIT)
    await waitFor('the consumer', () => ids.includes('new'), LIMIT)
  })

  test('Node had nothing to warn of', () => {
    expect(warnings).toEqual([])
  })
})

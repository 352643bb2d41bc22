import { versions, type EventTopic, type MessageOf, type Topic } from '@skipcast/contracts'
import { AppError, waitFor } from '@skipcast/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Bus } from '../src/index.ts'
import type { RetryPolicy } from '../src/retry.ts'
import { channelStarted, heartbeat, startStream } from './samples.ts'

/** A bus with topics that nobody used before, and what a test may do behind its back. */
export interface BusUnderTest {
  readonly bus: Bus
  /** Appends what nobody validated. */
  append(topic: Topic, key: string, value: string | null): Promise<void>
  deadLetters(topic: Topic): Promise<readonly { key: string; value: string | null; reason: string }[]>
}

export interface BusRoad extends AsyncDisposable {
  open(retry: RetryPolicy): Promise<BusUnderTest>
  /** From now on nobody answers; without warning. */
  takeDown(): Promise<void>
  bringBack(): Promise<void>
}

const LIMIT = { timeoutMs: 30_000 }
/** Quick, so that tests are; three attempts. */
const RETRY: RetryPolicy = { attempts: 3, firstMs: 5, mostMs: 50 }

/** What every bus promises (see ports.ts). */
export function busContract(name: string, start: () => Promise<BusRoad>): void {
  describe(name, () => {
    jest.setTimeout(90_000)
    let road: BusRoad
    let under: BusUnderTest
    let bus: Bus

    beforeAll(async () => {
      road = await start()
    })
    afterAll(async () => road[Symbol.asyncDispose]())
    beforeEach(async () => {
      under = await road.open(RETRY)
      bus = under.bus
    })
    afterEach(async () => bus[Symbol.asyncDispose]())

    /** Publishes events of one channel, whose ids tell them apart. */
    const tell = (...ids: string[]) =>
      bus.publish(
        'streamEvents',
        ids.map((id) => ({ key: 'channel-1', value: channelStarted(id) })),
      )
    /** Consumes and notes the ids; `act` may fail the handler. */
    const follow = (group: string, act: (id: string, times: number) => void | Promise<void> = () => undefined) => {
      const ids: string[] = []
      const consumer = bus.consume({
        topic: 'streamEvents',
        group,
        async handle({ id }) {
          ids.push(id)
          await act(id, ids.filter((other) => other === id).length)
        },
      })
      return { ids, close: () => consumer[Symbol.asyncDispose]() }
    }
    const letters = async (topic: EventTopic | 'serverHeartbeats' = 'streamEvents') => await under.deadLetters(topic)

    describe('events', () => {
      test('the records of a key arrive in the order in which they were published', async () => {
        const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
        const seen = new Map(keys.map((key) => [key, new Set<number>()]))
        bus.consume({
          topic: 'streamEvents',
          group: 'order',
          handle: async ({ id, channel_id }) => void seen.get(channel_id)!.add(Number(id)),
        })
        const numbers = Array.from({ length: 60 }, (_, index) => index)
        await Promise.all(
          keys.flatMap((key) =>
            numbers.map((number) => bus.publish('streamEvents', [{ key, value: channelStarted(String(number), key) }])),
          ),
        )
        await waitFor('all records', () => keys.every((key) => seen.get(key)!.size === numbers.length), LIMIT)
        for (const key of keys) expect([...seen.get(key)!]).toEqual(numbers)
      })

      test('a new group begins with the oldest record, and each group sees every record', async () => {
        await tell('1', '2')
        const first = follow('first')
        await waitFor('the first group', () => first.ids.length === 2, LIMIT)
        const second = follow('second')
        await tell('3')
        await waitFor('both groups', () => first.ids.length === 3 && second.ids.length === 3, LIMIT)
        expect([first.ids, second.ids]).toEqual([
          ['1', '2', '3'],
          ['1', '2', '3'],
        ])
      })

      test('consumers of one group share the work, and none of it is lost', async () => {
        const one = follow('shared')
        const two = follow('shared')
        let published = 0
        await waitFor(
          'both to have work',
          async () => {
            const batch = Array.from({ length: 24 }, () => String(published++))
            await bus.publish(
              'streamEvents',
              batch.map((id) => ({ key: `key-${id}`, value: channelStarted(id) })),
            )
            return one.ids.length > 0 && two.ids.length > 0
          },
          LIMIT,
        )
        const all = () => new Set([...one.ids, ...two.ids])
        await waitFor('all records', () => all().size === published, LIMIT)
      })

      test('a record whose handler failed comes again before its successor', async () => {
        const { ids } = follow('again', (id, times) => {
          if (id === '1' && times === 1) throw new Error('not today')
        })
        await tell('1', '2')
        await waitFor('both records', () => ids.includes('2'), LIMIT)
        expect(ids).toEqual(['1', '1', '2'])
        expect(await letters()).toEqual([])
      })

      test('a failure that may pass is tried for as long as it takes', async () => {
        const { ids } = follow('patient', (id, times) => {
          if (id === '1' && times < RETRY.attempts * 3) throw new AppError('DATABASE_UNAVAILABLE', 'away')
        })
        await tell('1', '2')
        await waitFor('both records', () => ids.includes('2'), LIMIT)
        expect(ids.filter((id) => id === '1')).toHaveLength(RETRY.attempts * 3)
        expect(await letters()).toEqual([])
      })

      test('a record whose handler never succeeds goes to the dead letters after its attempts, and the next one follows', async () => {
        const { ids } = follow('poison', (id) => {
          if (id === '1') throw new Error('I do not like it')
        })
        await tell('1', '2')
        await waitFor('the next record', () => ids.includes('2'), LIMIT)
        expect(ids).toEqual(['1', '1', '1', '2'])
        const [letter] = await letters()
        expect(letter).toMatchObject({ key: 'channel-1', reason: 'the handler failed: I do not like it' })
        expect(JSON.parse(letter!.value!)).toEqual(channelStarted('1'))
      })

      test('a record that holds up its partition does not hold up the others', async () => {
        const seen: string[] = []
        bus.consume({
          topic: 'streamEvents',
          group: 'held',
          async handle({ id, channel_id }) {
            if (channel_id === 'held') throw new AppError('DATABASE_UNAVAILABLE', 'away')
            seen.push(id)
          },
        })
        await bus.publish('streamEvents', [{ key: 'held', value: channelStarted('0', 'held') }])
        const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`)
        await bus.publish(
          'streamEvents',
          keys.map((key) => ({ key, value: channelStarted(key, key) })),
        )
        // 40 keys on 12 partitions: some share the held one's partition, most do not.
        await waitFor('most records', () => seen.length >= keys.length / 2, LIMIT)
      })

      test('a record that can not be read goes to the dead letters at once, as it was, and the next one follows', async () => {
        const { ids } = follow('unreadable')
        await under.append('streamEvents', 'channel-1', '{"half a record')
        await under.append('streamEvents', 'channel-1', '{"event":"channel_invented"}')
        await tell('1')
        await waitFor('the next record', () => ids.includes('1'), LIMIT)
        expect(ids).toEqual(['1'])
        const found = await letters()
        expect(found.map(({ value }) => value)).toEqual(['{"half a record', '{"event":"channel_invented"}'])
        expect(found[0]!.reason).toBe('the value is not JSON')
        expect(found[1]!.reason).toMatch(/event/)
      })

      test('fields that the contract does not know are dropped, on both ways', async () => {
        const seen: MessageOf<'streamEvents'>[] = []
        bus.consume({ topic: 'streamEvents', group: 'strict', handle: async (message) => void seen.push(message) })
        const surprising = { ...channelStarted('1'), surprise: true }
        await bus.publish('streamEvents', [{ key: 'channel-1', value: surprising }])
        await under.append('streamEvents', 'channel-1', JSON.stringify({ ...surprising, id: '2' }))
        await waitFor('both records', () => seen.length === 2, LIMIT)
        expect(seen).toEqual([channelStarted('1'), channelStarted('2')])
      })

      test('K1: what was handled is not handed out again, what was not yet is: also after the consumer is gone', async () => {
        const first = follow('handover', (id) => {
          if (id === '3') throw new AppError('DATABASE_UNAVAILABLE', 'away')
        })
        await tell('1', '2', '3', '4')
        await waitFor('the third record', () => first.ids.includes('3'), LIMIT)
        await first.close()
        const second = follow('handover')
        await waitFor('the rest', () => second.ids.includes('4'), LIMIT)
        expect(second.ids).toEqual(['3', '4'])
      })

      test('closing waits for the handler that runs, and its record counts as handled', async () => {
        const running = Promise.withResolvers<void>()
        const release = Promise.withResolvers<void>()
        const first = follow('closing', async () => {
          running.resolve()
          await release.promise
        })
        await tell('1', '2')
        await running.promise
        const closed = first.close()
        release.resolve()
        await closed
        expect(first.ids).toEqual(['1'])
        const second = follow('closing')
        await waitFor('the next record', () => second.ids.length > 0, LIMIT)
        expect(second.ids).toEqual(['2'])
      })
    })

    describe('publishing', () => {
      test('a message that breaks the contract is refused, and nothing of its call is sent', async () => {
        const { ids } = follow('refused')
        const broken = { ...channelStarted('2'), epoch: -1 }
        const call = bus.publish('streamEvents', [
          { key: 'channel-1', value: channelStarted('1') },
          { key: 'channel-1', value: broken },
        ])
        await expect(call).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
        await expect(bus.publish('streamEvents', [{ key: 'channel-1', value: null }])).rejects.toMatchObject({
          code: 'MESSAGE_INVALID',
        })
        await expect(bus.publish('streamEvents', [{ key: '', value: channelStarted('3') }])).rejects.toMatchObject({
          code: 'MESSAGE_INVALID',
        })
        await tell('4')
        await waitFor('the good record', () => ids.length > 0, LIMIT)
        expect(ids).toEqual(['4'])
      })

      test('nothing is handed out before publish has returned to its caller', async () => {
        const { ids } = follow('later')
        const published = tell('1')
        expect(ids).toEqual([])
        await published
        await waitFor('the record', () => ids.length === 1, LIMIT)
      })

      test('the largest wanted stream passes', async () => {
        const view = bus.watch('streamCommands')
        const wanted = startStream('large', 10_000)
        await bus.publish('streamCommands', [{ key: 'large', value: wanted }])
        await waitFor('the stream', () => view.values.get('large'), LIMIT)
        expect(view.values.get('large')).toEqual({ ...wanted, version: versions.start_stream })
      })

      test('two thousand calls at once are all taken', async () => {
        const { ids } = follow('many')
        const numbers = Array.from({ length: 2000 }, (_, index) => String(index))
        await Promise.all(numbers.map((number) => tell(number)))
        await waitFor('all records', () => new Set(ids).size === numbers.length, LIMIT)
        expect([...new Set(ids)]).toEqual(numbers)
      })
    })

    describe('state', () => {
      test('a view holds the last value of each key, from the beginning of the topic', async () => {
        await bus.publish('serverHeartbeats', [
          { key: 'a', value: heartbeat('a', 1) },
          { key: 'b', value: heartbeat('b', 1) },
          { key: 'a', value: heartbeat('a', 2) },
          { key: 'c', value: heartbeat('c', 1) },
          { key: 'c', value: null },
        ])
        const view = bus.watch('serverHeartbeats')
        expect(view.isCaughtUp).toBe(false)
        await view.caughtUp
        expect(view.isCaughtUp).toBe(true)
        expect(Object.fromEntries(view.values)).toEqual({ a: heartbeat('a', 2), b: heartbeat('b', 1) })
      })

      test('a view of an empty topic is caught up', async () => {
        const view = bus.watch('serverHeartbeats')
        await view.caughtUp
        expect(view.values.size).toBe(0)
      })

      test('a view follows changes and removals, and tells of them', async () => {
        const view = bus.watch('serverHeartbeats')
        const changes: (string | null)[] = []
        const forget = view.onChange((key) => changes.push(key))
        await view.caughtUp
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await waitFor('the value', () => view.values.get('a')?.load === 1, LIMIT)
        await bus.publish('serverHeartbeats', [{ key: 'a', value: null }])
        await waitFor('the removal', () => view.values.size === 0, LIMIT)
        expect(changes).toEqual([null, 'a', 'a'])
        forget()
        await bus.publish('serverHeartbeats', [{ key: 'b', value: heartbeat('b', 1) }])
        await waitFor('another value', () => view.values.has('b'), LIMIT)
        expect(changes).toHaveLength(3)
      })

      test('each view sees every record', async () => {
        const views = [bus.watch('serverHeartbeats'), bus.watch('serverHeartbeats')]
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await waitFor('both', () => views.every((view) => view.values.get('a')?.load === 1), LIMIT)
      })

      test('a state record that can not be read leaves the last good value and is kept as a dead letter once', async () => {
        const view = bus.watch('serverHeartbeats')
        await view.caughtUp
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await under.append('serverHeartbeats', 'a', 'nonsense')
        await bus.publish('serverHeartbeats', [{ key: 'b', value: heartbeat('b', 1) }])
        await waitFor('the next value', () => view.values.has('b'), LIMIT)
        await waitFor('the dead letter', async () => (await letters('serverHeartbeats')).length > 0, LIMIT)
        expect(view.values.get('a')).toEqual(heartbeat('a', 1))
        const later = bus.watch('serverHeartbeats')
        await later.caughtUp
        expect(await letters('serverHeartbeats')).toEqual([{ key: 'a', value: 'nonsense', reason: 'the value is not JSON' }])
      })

      test('a closed view calls nobody back, and takes nothing from the others of its topic', async () => {
        const view = bus.watch('serverHeartbeats')
        const calls: unknown[] = []
        view.onChange((key) => void calls.push(key))
        const other = bus.watch('serverHeartbeats')
        await Promise.all([view.caughtUp, other.caughtUp])
        await view[Symbol.asyncDispose]()
        const before = calls.length
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await waitFor('the other view', () => other.values.has('a'), LIMIT)
        expect(calls).toHaveLength(before)
      })

      test('a view that comes late sees what is there, and calls back once', async () => {
        const early = bus.watch('serverHeartbeats')
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await waitFor('the early view', () => early.isCaughtUp && early.values.has('a'), LIMIT)
        const late = bus.watch('serverHeartbeats')
        const calls: unknown[] = []
        late.onChange((key) => void calls.push(key))
        await late.caughtUp
        await waitFor('the call', () => calls.includes(null), LIMIT)
        expect(late.values.get('a')).toEqual(heartbeat('a', 1))
      })
    })

    describe('an outage', () => {
      test('is told to callers, and everything goes on after it by itself', async () => {
        const view = bus.watch('serverHeartbeats')
        const { ids } = follow('outage')
        await bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
        await tell('1')
        await waitFor('all is well', () => view.values.has('a') && ids.length === 1, LIMIT)
        await bus.ping()

        await road.takeDown()
        const startedAt = performance.now()
        await expect(tell('2')).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
        await expect(bus.ping()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
        expect(performance.now() - startedAt).toBeLessThan(15_000)
        expect(view.values.get('a')?.load).toBe(1)

        await road.bringBack()
        await waitFor(
          'publishing',
          () =>
            tell('3').then(
              () => true,
              () => false,
            ),
          LIMIT,
        )
        await bus.publish('serverHeartbeats', [
          { key: 'a', value: heartbeat('a', 2) },
          { key: 'b', value: heartbeat('b', 1) },
        ])
        await waitFor('the consumer', () => ids.includes('3'), LIMIT)
        await waitFor('the view', () => view.values.get('a')?.load === 2 && view.values.has('b'), LIMIT)
        await bus.ping()
      })
    })
  })
}

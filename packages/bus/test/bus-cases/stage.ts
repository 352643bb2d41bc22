import type { EventTopic, Topic } from '@skipcast/contracts'
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import type { Bus } from '../../src/index.ts'
import type { RetryPolicy } from '../../src/retry.ts'
import { channelStarted } from '../samples.ts'

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

export const LIMIT = { timeoutMs: 30_000 }
/** Quick, so that tests are; three attempts. */
export const RETRY: RetryPolicy = { attempts: 3, firstMs: 5, mostMs: 50 }

/** What each case works with: a bus of its own, on a road that they share. */
export type Stage = ReturnType<typeof busStage>

/** Call it inside of `describe`. */
export function busStage(start: () => Promise<BusRoad>) {
  let road: BusRoad
  let under: BusUnderTest

  beforeAll(async () => {
    road = await start()
  })
  afterAll(async () => road[Symbol.asyncDispose]())
  beforeEach(async () => {
    under = await road.open(RETRY)
  })
  afterEach(async () => under.bus[Symbol.asyncDispose]())

  return {
    get road() {
      return road
    },
    get under() {
      return under
    },
    get bus() {
      return under.bus
    },
    /** Publishes events of one channel, whose ids tell them apart. */
    tell: (...ids: string[]) =>
      under.bus.publish(
        'streamEvents',
        ids.map((id) => ({ key: 'channel-1', value: channelStarted(id) })),
      ),
    /** Consumes and notes the ids; `act` may fail the handler. */
    follow: (group: string, act: (id: string, times: number) => void | Promise<void> = () => undefined) => {
      const ids: string[] = []
      const consumer = under.bus.consume({
        topic: 'streamEvents',
        group,
        async handle({ id }) {
          ids.push(id)
          await act(id, ids.filter((other) => other === id).length)
        },
      })
      return { ids, close: () => consumer[Symbol.asyncDispose]() }
    },
    letters: async (topic: EventTopic | 'serverHeartbeats' = 'streamEvents') => await under.deadLetters(topic),
  }
}

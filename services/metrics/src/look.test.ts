import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { keepLooking } from './look.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

/** An Icecast that answers after `tookMs`, or fails. */
function fixture() {
  const world = { tookMs: 0, fails: false, running: 0, most: 0 }
  const told: string[] = []
  const icecast = {
    name: 'one',
    async read(signal?: AbortSignal) {
      world.most = Math.max(world.most, ++world.running)
      await new Promise<void>((resolve, reject) => {
        setTimeout(resolve, world.tookMs)
        signal?.addEventListener('abort', () => reject(new Error('given up')), { once: true })
      }).finally(() => (world.running -= 1))
      if (world.fails) throw new Error('away')
      return [{ mount: '/a', listeners: 1, peak: 1, bitrateKbps: null, title: null, startedAt: null }]
    },
  }
  const looking = keepLooking(
    icecast,
    { everyMs: 1000, holdMs: 10_000 },
    {
      telemetry: { looked: () => void told.push('looked'), lookFailed: (_, problem) => void told.push(problem) },
      steadyMs: () => performance.now(),
      onLook: () => void told.push('nudge'),
    },
  )
  const close = async () => {
    const closed = looking[Symbol.asyncDispose]()
    await jest.advanceTimersByTimeAsync(10)
    await closed
  }
  return { world, told, looking, close }
}

test('looks once in each period, and tells of it', async () => {
  const { world, told, looking, close } = fixture()
  world.tookMs = 200
  expect(looking).toMatchObject({ hasLooked: false, sight: { icecast: 'one', mounts: null } })
  await jest.advanceTimersByTimeAsync(3900)
  expect(told.filter((what) => what === 'looked')).toHaveLength(4)
  expect(told.filter((what) => what === 'nudge')).toHaveLength(4)
  expect(looking.sight.mounts!.has('/a')).toBe(true)
  await close()
  expect(world.most).toBe(1)
})

test('one lost answer changes nothing; ten seconds without one, and it is silent; one answer, and it is back', async () => {
  const { world, told, looking, close } = fixture()
  await jest.advanceTimersByTimeAsync(100)
  world.fails = true
  await jest.advanceTimersByTimeAsync(9000)
  expect(told).toContain('away')
  expect(looking.sight.mounts).not.toBeNull()
  await jest.advanceTimersByTimeAsync(3000)
  expect(looking.sight.mounts).toBeNull()
  world.fails = false
  await jest.advanceTimersByTimeAsync(1000)
  expect(looking.sight.mounts).not.toBeNull()
  await close()
})

test('closing does not wait for an answer, and tells of no failure', async () => {
  const { world, told, close } = fixture()
  world.tookMs = 4000
  await jest.advanceTimersByTimeAsync(100)
  await close()
  expect(told).toEqual([])
  expect(world.running).toBe(0)
})

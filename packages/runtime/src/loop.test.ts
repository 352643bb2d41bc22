import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { startLoop } from './loop.ts'
import { waitFor } from './wait-for.ts'

const never = { everyMs: 3_600_000 }
const fail = (error: unknown) => {
  throw error
}

describe('startLoop', () => {
  test('runs a pass at once and another for each nudge, never two at a time', async () => {
    let running = 0
    let most = 0
    let passes = 0
    await using loop = startLoop(
      async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        passes += 1
        running -= 1
      },
      { ...never, onError: fail },
    )
    await waitFor('the first pass', () => passes === 1, { timeoutMs: 1000, everyMs: 1 })
    loop.nudge()
    loop.nudge()
    await waitFor('two more passes', () => passes === 3, { timeoutMs: 1000, everyMs: 1 })
    expect(most).toBe(1)
  })

  test('goes on after a pass that threw', async () => {
    const errors: unknown[] = []
    let passes = 0
    await using loop = startLoop(
      async () => {
        passes += 1
        if (passes === 1) throw new Error('once')
      },
      { ...never, onError: (error) => void errors.push(error) },
    )
    await waitFor('the error', () => errors.length === 1, { timeoutMs: 1000, everyMs: 1 })
    loop.nudge()
    await waitFor('the next pass', () => passes === 2, { timeoutMs: 1000, everyMs: 1 })
  })

  test('waits for the running pass when it is closed, and runs none after', async () => {
    const release = Promise.withResolvers<void>()
    let passes = 0
    const loop = startLoop(
      async () => {
        await release.promise
        passes += 1
      },
      { ...never, onError: fail },
    )
    await Promise.resolve()
    const closed = loop[Symbol.asyncDispose]()
    release.resolve()
    await closed
    loop.nudge()
    expect(passes).toBe(1)
  })
})

describe('the pace of a loop', () => {
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  /** When the passes began within ten seconds, if each takes as long as given (the last one for all that follow). */
  async function beginnings(pace: 'pause' | 'rate', tookMs: number[], nudgeAtMs?: number): Promise<number[]> {
    const startedAt = performance.now()
    const begun: number[] = []
    let running = 0
    const loop = startLoop(
      async () => {
        expect(++running).toBe(1)
        begun.push(performance.now() - startedAt)
        await new Promise((resolve) => setTimeout(resolve, tookMs[Math.min(begun.length, tookMs.length) - 1]))
        running -= 1
      },
      { everyMs: 1000, pace, onError: fail },
    )
    if (nudgeAtMs !== undefined) setTimeout(() => loop.nudge(), nudgeAtMs)
    await jest.advanceTimersByTimeAsync(5000)
    const closed = loop[Symbol.asyncDispose]()
    await jest.advanceTimersByTimeAsync(5000)
    await closed
    return begun
  }

  test('is a pause after each pass, however long that took', async () => {
    expect(await beginnings('pause', [300])).toEqual([0, 1300, 2600, 3900])
  })

  test('or a rate: from beginning to beginning', async () => {
    expect(await beginnings('rate', [300])).toEqual([0, 1000, 2000, 3000, 4000, 5000])
  })

  test('at a rate, a pass that took too long is followed at once, once, and the rate goes on from there', async () => {
    expect(await beginnings('rate', [2500, 100])).toEqual([0, 2501, 3500, 4500]) // a timer takes 1 ms
  })

  test('at a rate, a nudge begins it anew', async () => {
    expect(await beginnings('rate', [100], 1400)).toEqual([0, 1000, 1400, 2400, 3400, 4400])
  })
})

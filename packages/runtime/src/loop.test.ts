import { describe, expect, test } from '@jest/globals'
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

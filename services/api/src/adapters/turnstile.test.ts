import { expect, test } from '@jest/globals'
import { turnstile } from './turnstile.ts'

test('so many run at once, so many wait, and the rest are told to come back', async () => {
  const pass = turnstile({ atOnce: 2, waiting: 1 })
  const ends: (() => void)[] = []
  let running = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => ends.push(resolve))
    running -= 1
  }
  const three = Promise.all([pass(work), pass(work), pass(work)])
  await expect(pass(work)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  for (let ended = 0; ended < 3; await Promise.resolve()) {
    const end = ends.shift()
    if (end) ended += 1
    end?.()
  }
  await three
  expect(most).toBe(2)
})

test('work that fails gives its place back', async () => {
  const pass = turnstile({ atOnce: 1, waiting: 0 })
  await expect(pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(pass(async () => 'yes')).resolves.toBe('yes')
})

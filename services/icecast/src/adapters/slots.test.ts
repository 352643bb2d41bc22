import { expect, test } from '@jest/globals'
import { slots } from './slots.ts'

test('lets so many run at once, in the order they came, and goes on after a failure', async () => {
  const inSlot = slots(2)
  let running = 0
  let most = 0
  const order: number[] = []
  const work = (number: number) =>
    inSlot(async () => {
      most = Math.max(most, ++running)
      order.push(number)
      await Promise.resolve()
      running -= 1
      if (number === 1) throw new Error('fails')
      return number
    })
  const results = await Promise.allSettled([0, 1, 2, 3, 4].map((number) => work(number)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
  expect([most, running, order]).toEqual([2, 0, [0, 1, 2, 3, 4]])
})

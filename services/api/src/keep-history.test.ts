import { expect, test } from '@jest/globals'
import { keepHistory } from './keep-history.ts'

test('one pass does what there is to do, and never without end', async () => {
  const asked: string[] = []
  let hours = 3
  const day = 86_400_000
  await keepHistory(
    {
      rollUp: async (before) => asked.push(`roll up ${before.getTime() / day}`) < hours--,
      forgetListenerHours: async (before) => asked.push(`hours ${before.getTime() / day}`) < 0,
      forgetTrackPlays: async (before) => asked.push(`plays ${before.getTime() / day}`) > 0,
    },
    { trackPlaysDays: 40, listenersDays: 30 },
    100 * day,
  )
  expect(asked.slice(0, 3)).toEqual(['roll up 98', 'roll up 98', 'hours 70'])
  expect(asked.filter((step) => step === 'plays 60')).toHaveLength(100)
})

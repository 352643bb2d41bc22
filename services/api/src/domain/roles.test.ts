import { expect, test } from '@jest/globals'
import { mayGrant } from './roles.ts'

test('A13: no role grants what it lacks', () => {
  const roles = ['listener', 'dj', 'admin'] as const
  const granted = roles.map((giver) => roles.filter((role) => mayGrant(giver, role)))
  expect(granted).toEqual([['listener'], ['listener', 'dj'], ['listener', 'dj', 'admin']])
})

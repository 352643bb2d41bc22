import { expect, test } from '@jest/globals'
import type { StreamStatus } from '@skipcast/contracts'
import { newestStatuses } from './newest-statuses.ts'

/** A topic on which statuses are put by hand. */
function setUp() {
  const values = new Map<string, StreamStatus>()
  let tell: (key: string | null) => void = () => {}
  const newest = newestStatuses({ values, onChange: (listener) => ((tell = listener), () => {}) })
  let changes = 0
  newest.onChange(() => (changes += 1))
  const put = (key: string, status: Partial<StreamStatus> | null) => {
    if (status) values.set(key, { channel_id: key.split(':')[0], ...status } as StreamStatus)
    else values.delete(key)
    tell(key)
  }
  return { newest, put, changes: () => changes, caughtUp: () => tell(null) }
}

test('what an agent tells that has the channel no more changes nothing', () => {
  const { newest, put, changes } = setUp()
  put('a', { epoch: 2, phase: 'on_air' })
  put('a', { epoch: 1, phase: 'failing' })
  expect([newest.values.get('a')?.phase, changes()]).toEqual(['on_air', 1])
  put('a', { epoch: 2, phase: 'silent' })
  put('a', { epoch: 3, phase: 'starting' })
  expect([newest.values.get('a')?.phase, changes()]).toEqual(['starting', 3])
})

test('what is gone from the topic is gone, and may begin anew', () => {
  const { newest, put, caughtUp, changes } = setUp()
  put('a', { epoch: 2 })
  put('a', null)
  expect(newest.values.has('a')).toBe(false)
  put('a', { epoch: 1 })
  expect(newest.values.get('a')?.epoch).toBe(1)
  caughtUp()
  expect(changes()).toBe(4)
})

test('what is told of a second replica stands beside what is told of the first', () => {
  const { newest, put } = setUp()
  put('a', { epoch: 1, phase: 'on_air' })
  put('a:standby', { epoch: 2, phase: 'starting', is_standby: true })
  put('a', { epoch: 1, phase: 'silent' })
  expect([...newest.values].map(([key, { phase }]) => [key, phase])).toEqual([
    ['a', 'silent'],
    ['a:standby', 'starting'],
  ])
})

import { expect, test } from '@jest/globals'
import { newId } from './new-id.ts'

test('ids are UUIDs of version 7 that sort by age', () => {
  const ids = [newId(1), newId(1000), newId(1_000_000_000_000), newId(2_000_000_000_000)]
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
  expect(newId(0x0123456789ab).replace('-', '').slice(0, 12)).toBe('0123456789ab')
})

test('ids of the same millisecond differ', () => {
  expect(new Set(Array.from({ length: 1000 }, () => newId(5))).size).toBe(1000)
})

import { describe, expect, test } from '@jest/globals'
import { lane } from './lane.ts'

describe('lane', () => {
  test('brings one record at a time, in order', async () => {
    const seen: string[] = []
    const own = lane<number>(async (record) => {
      seen.push(`begin ${record}`)
      await Promise.resolve()
      seen.push(`end ${record}`)
      return true
    })
    own.push([1, 2])
    own.push([3])
    await own.idle
    expect(seen).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
    expect(own.length).toBe(0)
  })

  test('goes on when records come after it was idle', async () => {
    const seen: number[] = []
    const own = lane<number>(async (record) => seen.push(record) > 0)
    own.push([1])
    await own.idle
    own.push([2])
    await own.idle
    expect(seen).toEqual([1, 2])
  })

  test('closing lets the record in hand come to its end, and drops the others', async () => {
    const release = Promise.withResolvers<void>()
    const seen: number[] = []
    const own = lane<number>(async (record, signal) => {
      await release.promise
      seen.push(record)
      return !signal.aborted
    })
    own.push([1, 2])
    const closed = own[Symbol.asyncDispose]()
    own.push([3])
    release.resolve()
    await closed
    expect([seen, own.length]).toEqual([[1], 0])
  })
})

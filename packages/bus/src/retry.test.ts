import { AppError } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { recordRetry } from './retry.ts'

const policy = { attempts: 3, firstMs: 100, mostMs: 300 }
const noJitter = () => 0

describe('recordRetry', () => {
  test('gives a record up after its attempts, with the reason', () => {
    const retry = recordRetry(policy, noJitter)
    const failures = [1, 2, 3].map(() => retry.failed(new Error('broken')))
    expect(failures).toEqual([
      { kind: 'again', afterMs: 100 },
      { kind: 'again', afterMs: 200 },
      { kind: 'dead', afterMs: 300, reason: 'the handler failed: broken' },
    ])
  })

  test('never counts a failure that may pass', () => {
    const retry = recordRetry(policy, noJitter)
    for (let attempt = 0; attempt < 20; attempt++)
      expect(retry.failed(new AppError('DATABASE_UNAVAILABLE', 'away')).kind).toBe('again')
    expect(retry.failed(new Error('broken')).kind).toBe('again')
  })

  test('counts a foreseen failure that will not pass', () => {
    const retry = recordRetry({ ...policy, attempts: 1 }, noJitter)
    expect(retry.failed(new AppError('NOT_FOUND', 'no such channel'))).toMatchObject({ kind: 'dead' })
  })
})

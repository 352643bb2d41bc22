import { describe, expect, test } from '@jest/globals'
import type { StreamCommand } from '@skipcast/contracts'
import { judge, type Known } from './judge.ts'

const claim = { channelId: 'c1', mount: '/demo', epoch: 5 }
const nothing: Known = { highestEpoch: null, command: undefined, ownerId: undefined }
const stopped = (epoch: number) => ({ event: 'stop_stream', epoch }) as StreamCommand

describe('judge', () => {
  test('lets a genuine token in when nothing else is known: the bus may be away', () => {
    expect(judge(claim, nothing)).toBeNull()
  })

  test('lets in a newer epoch and the same one again, and refuses an older one', () => {
    expect(judge(claim, { ...nothing, highestEpoch: 4 })).toBeNull()
    expect(judge(claim, { ...nothing, highestEpoch: 5 })).toBeNull()
    expect(judge(claim, { ...nothing, highestEpoch: 6 })).toBe('older-epoch')
  })

  test('refuses what was stopped, but not what was placed after that', () => {
    expect(judge(claim, { ...nothing, command: stopped(5) })).toBe('stopped')
    expect(judge(claim, { ...nothing, command: stopped(4) })).toBeNull()
  })

  test('refuses both replicas of what was stopped, on either mount', () => {
    const command = { ...stopped(4), standby: { epoch: 5 } } as StreamCommand
    expect(judge(claim, { ...nothing, command })).toBe('stopped')
    expect(judge({ ...claim, mount: '/w/demo', epoch: 4 }, { ...nothing, command })).toBe('stopped')
    expect(judge({ ...claim, epoch: 6 }, { ...nothing, command })).toBeNull()
  })

  test('refuses a former owner of the mount, whose tokens stay genuine', () => {
    expect(judge(claim, { ...nothing, ownerId: 'c2' })).toBe('mount-of-another-channel')
    expect(judge(claim, { ...nothing, ownerId: 'c1' })).toBeNull()
  })
})

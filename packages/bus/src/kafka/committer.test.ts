import { silentLogger } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { committer, type PartitionOffset } from './committer.ts'

const at = (partition: number, offset: string): PartitionOffset => ({ partition, offset })

describe('committer', () => {
  test('marks that come during a commit go together in the next, the last of each partition', async () => {
    const commits: PartitionOffset[][] = []
    const first = Promise.withResolvers<void>()
    const offsets = committer(async (done) => {
      commits.push(done)
      if (commits.length === 1) await first.promise
    }, silentLogger())
    offsets.mark(at(0, '1'))
    offsets.mark(at(0, '2'))
    offsets.mark(at(1, '7'))
    offsets.mark(at(0, '3'))
    first.resolve()
    await offsets.finish(false)
    expect(commits).toEqual([[at(0, '1')], [at(0, '3'), at(1, '7')]])
  })

  test('what could not be committed is tried once more at the end', async () => {
    const commits: PartitionOffset[][] = []
    const offsets = committer(async (done) => {
      commits.push(done)
      if (commits.length === 1) throw new Error('rebalancing')
    }, silentLogger())
    offsets.mark(at(0, '1'))
    await Promise.resolve()
    await offsets.finish(false)
    expect(commits).toEqual([[at(0, '1')], [at(0, '1')]])
  })

  test('a lost session commits nothing more', async () => {
    let calls = 0
    const offsets = committer(async () => {
      calls += 1
      throw new Error('gone')
    }, silentLogger())
    offsets.mark(at(0, '1'))
    await Promise.resolve()
    await offsets.finish(true)
    expect(calls).toBe(1)
  })
})

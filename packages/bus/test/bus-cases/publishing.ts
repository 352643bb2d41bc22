import { versions } from '@skipcast/contracts'
import { waitFor } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { channelStarted, startStream } from '../samples.ts'
import { LIMIT, type Stage } from './stage.ts'

/** What every bus promises of publishing. */
export function publishingCases(stage: Stage): void {
  const { tell, follow } = stage

  describe('publishing', () => {
    test('a message that breaks the contract is refused, and nothing of its call is sent', async () => {
      const { ids } = follow('refused')
      const broken = { ...channelStarted('2'), epoch: -1 }
      const call = stage.bus.publish('streamEvents', [
        { key: 'channel-1', value: channelStarted('1') },
        { key: 'channel-1', value: broken },
      ])
      await expect(call).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
      await expect(stage.bus.publish('streamEvents', [{ key: 'channel-1', value: null }])).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
      })
      await expect(stage.bus.publish('streamEvents', [{ key: '', value: channelStarted('3') }])).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
      })
      await tell('4')
      await waitFor('the good record', () => ids.length > 0, LIMIT)
      expect(ids).toEqual(['4'])
    })

    test('nothing is handed out before publish has returned to its caller', async () => {
      const { ids } = follow('later')
      const published = tell('1')
      expect(ids).toEqual([])
      await published
      await waitFor('the record', () => ids.length === 1, LIMIT)
    })

    test('the largest wanted stream passes', async () => {
      const view = stage.bus.watch('streamCommands')
      const wanted = startStream('large', 10_000)
      await stage.bus.publish('streamCommands', [{ key: 'large', value: wanted }])
      await waitFor('the stream', () => view.values.get('large'), LIMIT)
      expect(view.values.get('large')).toEqual({ ...wanted, version: versions.start_stream })
    })

    test('two thousand calls at once are all taken', async () => {
      const { ids } = follow('many')
      const numbers = Array.from({ length: 2000 }, (_, index) => String(index))
      await Promise.all(numbers.map((number) => tell(number)))
      await waitFor('all records', () => new Set(ids).size === numbers.length, LIMIT)
      expect([...new Set(ids)]).toEqual(numbers)
    })
  })
}

import { type MessageOf } from '@skipcast/contracts'
import { AppError, waitFor } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { channelStarted } from '../samples.ts'
import { LIMIT, RETRY, type Stage } from './stage.ts'

/** What every bus promises of events. */
export function eventsCases(stage: Stage): void {
  const { tell, follow, letters } = stage

  describe('events', () => {
    test('the records of a key arrive in the order in which they were published', async () => {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      const seen = new Map(keys.map((key) => [key, new Set<number>()]))
      stage.bus.consume({
        topic: 'streamEvents',
        group: 'order',
        handle: async ({ id, channel_id }) => void seen.get(channel_id)!.add(Number(id)),
      })
      const numbers = Array.from({ length: 60 }, (_, index) => index)
      await Promise.all(
        keys.flatMap((key) =>
          numbers.map((number) => stage.bus.publish('streamEvents', [{ key, value: channelStarted(String(number), key) }])),
        ),
      )
      await waitFor('all records', () => keys.every((key) => seen.get(key)!.size === numbers.length), LIMIT)
      for (const key of keys) expect([...seen.get(key)!]).toEqual(numbers)
    })

    test('a new group begins with the oldest record, and each group sees every record', async () => {
      await tell('1', '2')
      const first = follow('first')
      await waitFor('the first group', () => first.ids.length === 2, LIMIT)
      const second = follow('second')
      await tell('3')
      await waitFor('both groups', () => first.ids.length === 3 && second.ids.length === 3, LIMIT)
      expect([first.ids, second.ids]).toEqual([
        ['1', '2', '3'],
        ['1', '2', '3'],
      ])
    })

    test('consumers of one group share the work, and none of it is lost', async () => {
      const one = follow('shared')
      const two = follow('shared')
      let published = 0
      await waitFor(
        'both to have work',
        async () => {
          const batch = Array.from({ length: 24 }, () => String(published++))
          await stage.bus.publish(
            'streamEvents',
            batch.map((id) => ({ key: `key-${id}`, value: channelStarted(id) })),
          )
          return one.ids.length > 0 && two.ids.length > 0
        },
        LIMIT,
      )
      const all = () => new Set([...one.ids, ...two.ids])
      await waitFor('all records', () => all().size === published, LIMIT)
    })

    test('a record whose handler failed comes again before its successor', async () => {
      const { ids } = follow('again', (id, times) => {
        if (id === '1' && times === 1) throw new Error('not today')
      })
      await tell('1', '2')
      await waitFor('both records', () => ids.includes('2'), LIMIT)
      expect(ids).toEqual(['1', '1', '2'])
      expect(await letters()).toEqual([])
    })

    test('a failure that may pass is tried for as long as it takes', async () => {
      const { ids } = follow('patient', (id, times) => {
        if (id === '1' && times < RETRY.attempts * 3) throw new AppError('DATABASE_UNAVAILABLE', 'away')
      })
      await tell('1', '2')
      await waitFor('both records', () => ids.includes('2'), LIMIT)
      expect(ids.filter((id) => id === '1')).toHaveLength(RETRY.attempts * 3)
      expect(await letters()).toEqual([])
    })

    test('a record whose handler never succeeds goes to the dead letters after its attempts, and the next one follows', async () => {
      const { ids } = follow('poison', (id) => {
        if (id === '1') throw new Error('I do not like it')
      })
      await tell('1', '2')
      await waitFor('the next record', () => ids.includes('2'), LIMIT)
      expect(ids).toEqual(['1', '1', '1', '2'])
      const [letter] = await letters()
      expect(letter).toMatchObject({ key: 'channel-1', reason: 'the handler failed: I do not like it' })
      expect(JSON.parse(letter!.value!)).toEqual(channelStarted('1'))
    })

    test('a record that holds up its partition does not hold up the others', async () => {
      const seen: string[] = []
      stage.bus.consume({
        topic: 'streamEvents',
        group: 'held',
        async handle({ id, channel_id }) {
          if (channel_id === 'held') throw new AppError('DATABASE_UNAVAILABLE', 'away')
          seen.push(id)
        },
      })
      await stage.bus.publish('streamEvents', [{ key: 'held', value: channelStarted('0', 'held') }])
      const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`)
      await stage.bus.publish(
        'streamEvents',
        keys.map((key) => ({ key, value: channelStarted(key, key) })),
      )
      // 40 keys on 12 partitions: some share the held one's partition, most do not.
      await waitFor('most records', () => seen.length >= keys.length / 2, LIMIT)
    })

    test('a record that can not be read goes to the dead letters at once, as it was, and the next one follows', async () => {
      const { ids } = follow('unreadable')
      await stage.under.append('streamEvents', 'channel-1', '{"half a record')
      await stage.under.append('streamEvents', 'channel-1', '{"event":"channel_invented"}')
      await tell('1')
      await waitFor('the next record', () => ids.includes('1'), LIMIT)
      expect(ids).toEqual(['1'])
      const found = await letters()
      expect(found.map(({ value }) => value)).toEqual(['{"half a record', '{"event":"channel_invented"}'])
      expect(found[0]!.reason).toBe('the value is not JSON')
      expect(found[1]!.reason).toMatch(/event/)
    })

    test('fields that the contract does not know are dropped, on both ways', async () => {
      const seen: MessageOf<'streamEvents'>[] = []
      stage.bus.consume({ topic: 'streamEvents', group: 'strict', handle: async (message) => void seen.push(message) })
      const surprising = { ...channelStarted('1'), surprise: true }
      await stage.bus.publish('streamEvents', [{ key: 'channel-1', value: surprising }])
      await stage.under.append('streamEvents', 'channel-1', JSON.stringify({ ...surprising, id: '2' }))
      await waitFor('both records', () => seen.length === 2, LIMIT)
      expect(seen).toEqual([channelStarted('1'), channelStarted('2')])
    })

    test('K1: what was handled is not handed out again, what was not yet is: also after the consumer is gone', async () => {
      const first = follow('handover', (id) => {
        if (id === '3') throw new AppError('DATABASE_UNAVAILABLE', 'away')
      })
      await tell('1', '2', '3', '4')
      await waitFor('the third record', () => first.ids.includes('3'), LIMIT)
      await first.close()
      const second = follow('handover')
      await waitFor('the rest', () => second.ids.includes('4'), LIMIT)
      expect(second.ids).toEqual(['3', '4'])
    })

    test('closing waits for the handler that runs, and its record counts as handled', async () => {
      const running = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const first = follow('closing', async () => {
        running.resolve()
        await release.promise
      })
      await tell('1', '2')
      await running.promise
      const closed = first.close()
      release.resolve()
      await closed
      expect(first.ids).toEqual(['1'])
      const second = follow('closing')
      await waitFor('the next record', () => second.ids.length > 0, LIMIT)
      expect(second.ids).toEqual(['2'])
    })
  })
}

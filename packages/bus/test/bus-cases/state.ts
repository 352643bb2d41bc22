import { waitFor } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { heartbeat } from '../samples.ts'
import { LIMIT, type Stage } from './stage.ts'

/** What every bus promises of state topics and their views. */
export function stateCases(stage: Stage): void {
  const { letters } = stage

  describe('state', () => {
    test('a view holds the last value of each key, from the beginning of the topic', async () => {
      await stage.bus.publish('serverHeartbeats', [
        { key: 'a', value: heartbeat('a', 1) },
        { key: 'b', value: heartbeat('b', 1) },
        { key: 'a', value: heartbeat('a', 2) },
        { key: 'c', value: heartbeat('c', 1) },
        { key: 'c', value: null },
      ])
      const view = stage.bus.watch('serverHeartbeats')
      expect(view.isCaughtUp).toBe(false)
      await view.caughtUp
      expect(view.isCaughtUp).toBe(true)
      expect(Object.fromEntries(view.values)).toEqual({ a: heartbeat('a', 2), b: heartbeat('b', 1) })
    })

    test('a view of an empty topic is caught up', async () => {
      const view = stage.bus.watch('serverHeartbeats')
      await view.caughtUp
      expect(view.values.size).toBe(0)
    })

    test('a view follows changes and removals, and tells of them', async () => {
      const view = stage.bus.watch('serverHeartbeats')
      const changes: (string | null)[] = []
      const forget = view.onChange((key) => changes.push(key))
      await view.caughtUp
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await waitFor('the value', () => view.values.get('a')?.load === 1, LIMIT)
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: null }])
      await waitFor('the removal', () => view.values.size === 0, LIMIT)
      expect(changes).toEqual([null, 'a', 'a'])
      forget()
      await stage.bus.publish('serverHeartbeats', [{ key: 'b', value: heartbeat('b', 1) }])
      await waitFor('another value', () => view.values.has('b'), LIMIT)
      expect(changes).toHaveLength(3)
    })

    test('each view sees every record', async () => {
      const views = [stage.bus.watch('serverHeartbeats'), stage.bus.watch('serverHeartbeats')]
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await waitFor('both', () => views.every((view) => view.values.get('a')?.load === 1), LIMIT)
    })

    test('a state record that can not be read leaves the last good value and is kept as a dead letter once', async () => {
      const view = stage.bus.watch('serverHeartbeats')
      await view.caughtUp
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await stage.under.append('serverHeartbeats', 'a', 'nonsense')
      await stage.bus.publish('serverHeartbeats', [{ key: 'b', value: heartbeat('b', 1) }])
      await waitFor('the next value', () => view.values.has('b'), LIMIT)
      await waitFor('the dead letter', async () => (await letters('serverHeartbeats')).length > 0, LIMIT)
      expect(view.values.get('a')).toEqual(heartbeat('a', 1))
      const later = stage.bus.watch('serverHeartbeats')
      await later.caughtUp
      expect(await letters('serverHeartbeats')).toEqual([{ key: 'a', value: 'nonsense', reason: 'the value is not JSON' }])
    })

    test('a closed view calls nobody back, and takes nothing from the others of its topic', async () => {
      const view = stage.bus.watch('serverHeartbeats')
      const calls: unknown[] = []
      view.onChange((key) => void calls.push(key))
      const other = stage.bus.watch('serverHeartbeats')
      await Promise.all([view.caughtUp, other.caughtUp])
      await view[Symbol.asyncDispose]()
      const before = calls.length
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await waitFor('the other view', () => other.values.has('a'), LIMIT)
      expect(calls).toHaveLength(before)
    })

    test('a view that comes late sees what is there, and calls back once', async () => {
      const early = stage.bus.watch('serverHeartbeats')
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await waitFor('the early view', () => early.isCaughtUp && early.values.has('a'), LIMIT)
      const late = stage.bus.watch('serverHeartbeats')
      const calls: unknown[] = []
      late.onChange((key) => void calls.push(key))
      await late.caughtUp
      await waitFor('the call', () => calls.includes(null), LIMIT)
      expect(late.values.get('a')).toEqual(heartbeat('a', 1))
    })
  })
}

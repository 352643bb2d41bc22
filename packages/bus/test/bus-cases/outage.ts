import { waitFor } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { heartbeat } from '../samples.ts'
import { LIMIT, type Stage } from './stage.ts'

/** What every bus promises while nobody answers, and after. */
export function outageCases(stage: Stage): void {
  const { tell, follow } = stage

  describe('an outage', () => {
    test('is told to callers, and everything goes on after it by itself', async () => {
      const view = stage.bus.watch('serverHeartbeats')
      const { ids } = follow('outage')
      await stage.bus.publish('serverHeartbeats', [{ key: 'a', value: heartbeat('a', 1) }])
      await tell('1')
      await waitFor('all is well', () => view.values.has('a') && ids.length === 1, LIMIT)
      await stage.bus.ping()

      await stage.road.takeDown()
      const startedAt = performance.now()
      await expect(tell('2')).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
      await expect(stage.bus.ping()).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' })
      expect(performance.now() - startedAt).toBeLessThan(15_000)
      expect(view.values.get('a')?.load).toBe(1)

      await stage.road.bringBack()
      await waitFor(
        'publishing',
        () =>
          tell('3').then(
            () => true,
            () => false,
          ),
        LIMIT,
      )
      await stage.bus.publish('serverHeartbeats', [
        { key: 'a', value: heartbeat('a', 2) },
        { key: 'b', value: heartbeat('b', 1) },
      ])
      await waitFor('the consumer', () => ids.includes('3'), LIMIT)
      await waitFor('the view', () => view.values.get('a')?.load === 2 && view.values.has('b'), LIMIT)
      await stage.bus.ping()
    })
  })
}

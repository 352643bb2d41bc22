import { stamp } from '@skipcast/contracts'
import { silentLogger } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { stateFeed } from './state-view.ts'

const heartbeat = (load: number) =>
  JSON.stringify({
    id: `beat-${load}`,
    event: 'server_heartbeat',
    version: 1,
    timestamp: 0,
    occurred_at: 0,
    application: 'skipcast',
    environment: 'test',
    server_id: 'a',
    started_at: 0,
    labels: {},
    capacity: 1,
    load,
    engines: 0,
    channels: 0,
    versions: {},
  })

function feed() {
  const made = stateFeed('serverHeartbeats', silentLogger(), async () => undefined)
  const changes: (string | null)[] = []
  made.view.onChange((key) => changes.push(key))
  return { made, view: made.view, changes, loads: () => [...made.view.values].map(([key, { load }]) => [key, load]) }
}

describe('stateFeed', () => {
  test('shows what was read only once all was read', async () => {
    const { made, view, changes, loads } = feed()
    made.apply('a', heartbeat(1))
    made.apply('a', heartbeat(2))
    expect([view.isCaughtUp, loads(), changes]).toEqual([false, [], []])
    made.caughtUp()
    await view.caughtUp
    expect([view.isCaughtUp, loads(), changes]).toEqual([true, [['a', 2]], ['a', null]])
  })

  test('stands still while it is read again, then becomes what was read and tells only what differs', () => {
    const { made, view, changes, loads } = feed()
    for (const key of ['same', 'changed', 'gone']) made.apply(key, heartbeat(1))
    made.caughtUp()
    changes.length = 0
    made.startOver()
    for (const key of ['same', 'changed', 'gone', 'new']) made.apply(key, heartbeat(1))
    made.apply('gone', null)
    made.apply('changed', heartbeat(2))
    expect([view.isCaughtUp, changes, loads().length]).toEqual([true, [], 3])
    made.caughtUp()
    expect(changes).toEqual(['gone', 'changed', 'new', null])
    expect(Object.fromEntries(loads())).toEqual({ same: 1, changed: 2, new: 1 })
  })

  test('keeps the last good value, and returns why a new record can not be read', () => {
    const { made, loads } = feed()
    expect(made.apply('a', 'old nonsense')).toBeNull()
    made.caughtUp()
    made.apply('a', heartbeat(1))
    expect(made.apply('a', 'nonsense')).toBe('the value is not JSON')
    expect(loads()).toEqual([['a', 1]])
  })

  test('a listener that throws hides nothing from the others', () => {
    const { made, view } = feed()
    made.caughtUp()
    const told: unknown[] = []
    view.onChange(() => {
      throw new Error('not my day')
    })
    view.onChange((key) => told.push(key))
    made.apply('a', heartbeat(1))
    expect(told).toEqual(['a'])
  })

  test('a command that comes late changes nothing, live or read anew; one of a database that was put back does', () => {
    const made = stateFeed('streamCommands', silentLogger(), async () => undefined)
    const command = (generation: number, occurredAt: number) =>
      JSON.stringify({
        ...stamp({ application: 'skipcast', environment: 'test' }, occurredAt, `a:${generation}`),
        event: 'stop_stream',
        channel_id: 'a',
        channel_slug: 'a',
        generation,
        epoch: 0,
        server_id: null,
        mount: '/a',
      })
    const generation = () => made.view.values.get('a')!.generation
    made.apply('a', command(5, 5000))
    made.apply('a', command(4, 4000))
    made.caughtUp()
    expect(generation()).toBe(5)
    made.apply('a', command(3, 3000))
    expect(generation()).toBe(5)
    made.startOver()
    made.apply('a', command(4, 4000))
    made.caughtUp()
    expect(generation()).toBe(5)
    made.apply('a', command(2, 9000))
    expect(generation()).toBe(2)
  })
})

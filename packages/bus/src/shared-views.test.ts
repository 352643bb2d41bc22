import { describe, expect, test } from '@jest/globals'
import { silentLogger } from '@skipcast/runtime'
import { heartbeat } from '../test/samples.ts'
import { sharedViews } from './shared-views.ts'
import { stateFeed, type StateFeed } from './state-view.ts'

function fixture() {
  const feeds: StateFeed<'serverHeartbeats'>[] = []
  const closed: number[] = []
  const views = sharedViews(() => {
    const index = feeds.length
    const feed = stateFeed('serverHeartbeats', silentLogger(), async () => void closed.push(index))
    feeds.push(feed)
    return feed.view as never
  })
  const tell = (load: number) => feeds.at(-1)!.apply('a', JSON.stringify(heartbeat('a', load)))
  return { feeds, closed, tell, views, watch: () => views.watch('serverHeartbeats') }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('views of one topic', () => {
  test('share a reading, which ends with the last of them and begins anew with the next', async () => {
    const { feeds, closed, watch } = fixture()
    const [one, two] = [watch(), watch()]
    expect(feeds).toHaveLength(1)
    await one[Symbol.asyncDispose]()
    await one[Symbol.asyncDispose]()
    expect(closed).toEqual([])
    await two[Symbol.asyncDispose]()
    expect(closed).toEqual([0])
    await using three = watch()
    expect(three.isCaughtUp).toBe(false)
    expect(feeds).toHaveLength(2)
  })

  test('see the same, each with its own listeners, which end with it', async () => {
    const { feeds, tell, watch } = fixture()
    const [one, two] = [watch(), watch()]
    const seen: string[] = []
    one.onChange((key) => void seen.push(`one ${key}`))
    two.onChange((key) => void seen.push(`two ${key}`))
    feeds[0]!.caughtUp()
    await Promise.all([one.caughtUp, two.caughtUp])
    expect(seen.splice(0)).toEqual(['one null', 'two null'])
    await one[Symbol.asyncDispose]()
    tell(1)
    expect(seen).toEqual(['two a'])
    expect(two.values).toBe(one.values)
    expect(two.values.get('a')?.load).toBe(1)
  })

  test('one that comes late is caught up, and told so in a later turn, unless it is closed before', async () => {
    const { feeds, tell, watch } = fixture()
    await using _early = watch()
    tell(1)
    feeds[0]!.caughtUp()
    const late = watch()
    const seen: (string | null)[] = []
    late.onChange((key) => void seen.push(key))
    expect(late.isCaughtUp).toBe(true)
    expect(late.values.has('a')).toBe(true)
    expect(seen).toEqual([])
    await late.caughtUp
    await turn()
    expect(seen).toEqual([null])

    const later = watch()
    later.onChange((key) => void seen.push(key))
    await later[Symbol.asyncDispose]()
    await turn()
    expect(seen).toEqual([null])
  })

  test('a view that is closed before all is read never becomes caught up', async () => {
    const { feeds, watch } = fixture()
    await using _other = watch()
    const closed = watch()
    await closed[Symbol.asyncDispose]()
    feeds[0]!.caughtUp()
    await turn()
    const outcome = await Promise.race([closed.caughtUp.then(() => 'caught up'), turn().then(() => 'pending')])
    expect(outcome).toBe('pending')
  })

  test('all readings end when the whole is closed', async () => {
    const { closed, views, watch } = fixture()
    const view = watch()
    await views[Symbol.asyncDispose]()
    expect(closed).toEqual([0])
    await view[Symbol.asyncDispose]()
    expect(closed).toEqual([0])
  })
})

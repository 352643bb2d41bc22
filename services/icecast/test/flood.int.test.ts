import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { httpGet } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise } from '@skipcast/testing'
import { byStatus } from './crowd.ts'
import { flood } from './flood.ts'
import { machine, type Machine } from './role.ts'

/** As many as one server may have to bring back at once. */
const CHANNELS = 79
/** Of which a front that passed them on let a title through in one of five cases. */
const PER_SECOND = 2000

const sum = (counts: Record<number, number>) => Object.values(counts).reduce((all, count) => all + count, 0)

describe('a flood of false logins', () => {
  const owned = new AsyncDisposableStack()
  let here: Machine

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  test('A10: keeps no engine of the same address out, no title waiting and no listener without sound', async () => {
    expect((await here.engine()).status).toBe(200)
    await using listener = await openListener(here.url('/demo'))
    await hears(listener, 440, { timeoutMs: 5000 })
    const mark = performance.now()
    const genuine = here.token('c1', '/demo', 1)
    const passwords = ['', 'hackme', genuine.slice(0, -1), genuine.replace('~1~', '~2~'), here.token('c2', '/other', 1)]
    await using flooding = await flood({ port: here.port, perSecond: PER_SECOND, passwords })

    const titles: { status: number; ms: number }[] = []
    while (titles.length < 20) {
      const askedAt = performance.now()
      const url = new URL(`/admin/metadata?mode=updinfo&mount=%2Fdemo&song=${titles.length}`, here.url('/'))
      const { status } = await httpGet(url, { user: 'source', password: genuine, timeoutMs: 10_000, maxBytes: 1000 })
      titles.push({ status, ms: performance.now() - askedAt })
    }
    const logins = await Promise.all(
      Array.from({ length: CHANNELS }, async (_, index) => {
        const askedAt = performance.now()
        const { status } = await here.engine({ channelId: `e${index}`, mount: `/e${index}` })
        return { status, ms: performance.now() - askedAt }
      }),
    )
    const spentMs = performance.now() - mark
    const answers = await flooding.end()
    const gapMs = listener.gapSince(mark)
    process.stderr.write(
      `${sum(answers)} false logins in ${spentMs.toFixed(0)} ms: ${JSON.stringify(answers)}; ` +
        `titles ${JSON.stringify(byStatus(titles))} ${summarise(titles.map(({ ms }) => ms)).text}; ` +
        `engines ${JSON.stringify(byStatus(logins))} ${summarise(logins.map(({ ms }) => ms)).text}; gap ${gapMs.toFixed(0)} ms\n`,
    )
    expect(byStatus(titles)).toEqual({ 200: titles.length })
    expect(byStatus(logins)).toEqual({ 200: CHANNELS })
    expect(listener.closures).toEqual([])
    expect(gapMs).toBeLessThan(PLAYER_RESERVE_MS)
    expect(answers[200]).toBeUndefined()
    expect(answers[429]).toBeGreaterThan(sum(answers) / 2)
  }, 60_000)
})

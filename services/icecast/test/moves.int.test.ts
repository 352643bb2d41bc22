import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise, type Listener } from '@skipcast/testing'
import type { FakeEngine } from './fake-engine.ts'
import { newcomers } from './newcomers.ts'
import { machine, statusOf, type Machine } from './role.ts'

const ROUNDS = 3

/** A channel goes from server to server, each time to its other mount: the newcomer plays before the one before it ends. Prints what listeners went through. */
describe('a channel that moves', () => {
  const owned = new AsyncDisposableStack()
  const old: Listener[] = []
  const gaps: number[] = []
  let here: Machine
  let role: AsyncDisposable
  let playing: FakeEngine
  let epoch = 1
  const mountOf = (of: number) => (of % 2 === 1 ? '/demo' : '/w/demo')
  const toneOf = (of: number) => (of % 2 === 1 ? 440 : 660)
  const engine = (of: number) => here.engine({ epoch: of, mount: mountOf(of), frequencyHz: toneOf(of) })

  beforeAll(async () => {
    here = owned.use(await machine())
    role = await here.start({ onStop: 'hand-over' })
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    for (const each of [1, 2]) await here.tone(toneOf(each))
    playing = await engine(1)
    for (let i = 0; i < 5; i++) old.push(owned.use(await openListener(here.url('/demo'))))
    for (const listener of old) await hears(listener, toneOf(1), { timeoutMs: 5000 })
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  test('hands its listeners on, puts out who had it before, and turns nobody away', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      epoch += 1
      const before = playing
      await here.command('start_stream', 'c1', '/demo', epoch, { mount: mountOf(epoch) })
      const mark = performance.now()
      const comers = newcomers(here.url('/demo'))
      await waitFor('newcomers to be in line', () => performance.now() - mark > 170, { timeoutMs: 5000, everyMs: 5 })
      playing = await engine(epoch)
      expect(playing.status).toBe(200)
      for (const listener of old) await hears(listener, toneOf(epoch), { timeoutMs: 5000 })
      await waitFor('the one before to be put out', () => !before.isConnected, { timeoutMs: 5000 })
      expect((await engine(epoch - 1)).status).toBe(401)
      await using late = await openListener(here.url('/demo'))
      await hears(late, toneOf(epoch), { timeoutMs: 5000 })
      expect(Object.keys(await comers())).toEqual(['200'])
      gaps.push(...old.map((listener) => listener.gapSince(mark)))
    }
    const gap = summarise(gaps)
    process.stderr.write(`${ROUNDS} moves: gap ${gap.text}\n`)
    expect(old.flatMap(({ closures }) => closures)).toEqual([])
    expect(gap.max).toBeLessThan(PLAYER_RESERVE_MS)
  }, 60_000)

  test('a role that begins anew, and a front that dies, find listeners where they are', async () => {
    expect(mountOf(epoch)).toBe('/w/demo')
    await role[Symbol.asyncDispose]()
    owned.use(await here.start())
    await waitFor('newcomers to be let in', async () => (await statusOf(here.url('/demo'))) === 200, { timeoutMs: 5000 })
    await using first = await openListener(here.url('/demo'))
    await hears(first, toneOf(epoch), { timeoutMs: 5000 })
    const front = await here.pidOf('haproxy')
    process.kill(front, 'SIGKILL')
    await waitFor('another front', async () => (await here.pidOf('haproxy')) !== front, { timeoutMs: 10_000 })
    const backAgain = () => engine(epoch).then(({ status }) => status === 200)
    await waitFor('the engine to be back', backAgain, { timeoutMs: 10_000, everyMs: 200 })
    await using second = await openListener(here.url('/demo'))
    await hears(second, toneOf(epoch), { timeoutMs: 5000 })
  }, 60_000)
})

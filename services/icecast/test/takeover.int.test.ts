import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { PLAYER_RESERVE_MS, hears, openListener, summarise, type Listener } from '@skipcast/testing'
import { join } from 'node:path'
import { fakeEngine, toneFrames, type FakeEngine, type Frames } from './fake-engine.ts'
import { newcomers } from './newcomers.ts'
import { machine, type Machine } from './role.ts'

const STEP_MS = 1500

/** Five listeners from the beginning, and a new one every 50 ms while a step lasts. Prints what they went through. */
describe('I8: sources change places', () => {
  const owned = new AsyncDisposableStack()
  const tones: Frames[] = []
  const old: Listener[] = []
  let here: Machine

  beforeAll(async () => {
    here = owned.use(await machine())
    owned.use(await here.start())
    for (const frequencyHz of [440, 660, 880]) tones.push(await toneFrames(join(here.home, `${frequencyHz}.mp3`), frequencyHz))
    await here.command('start_stream', 'c1', '/demo')
    await here.untilFed('/demo')
    for (let i = 0; i < 5; i++) old.push(owned.use(await openListener(here.url('/demo'))))
  }, 30_000)
  afterAll(() => owned.disposeAsync())

  const engine = async (epoch: number, tone: number): Promise<FakeEngine> =>
    owned.use(
      await fakeEngine({ port: here.port, mount: '/demo', password: here.token('c1', '/demo', epoch), frames: tones[tone]! }),
    )

  async function step(name: string, act: () => Promise<void>) {
    const mark = performance.now()
    const comers = newcomers(here.url('/demo'))
    await waitFor('newcomers to be in line', () => performance.now() - mark > 170, { timeoutMs: 5000, everyMs: 5 })
    await act()
    await waitFor('the rest of the step', () => performance.now() - mark > STEP_MS, { timeoutMs: 60_000 })
    const statuses = await comers()
    const gap = summarise(old.map((listener) => listener.gapSince(mark)))
    process.stderr.write(`${name.padEnd(14)} gap ${gap.text}; new listeners ${JSON.stringify(statuses)}\n`)
    expect(old.flatMap((listener) => listener.closures)).toEqual([])
    expect(gap.max).toBeLessThan(PLAYER_RESERVE_MS)
    return statuses
  }
  const only200 = { 200: expect.any(Number) }

  let e2: FakeEngine
  test('an engine comes: listeners of the filler hear it', async () => {
    const statuses = await step('filler → e1', async () => {
      expect((await engine(1, 0)).status).toBe(200)
      await hears(old[0]!, 440, { timeoutMs: 5000 })
    })
    expect(statuses).toEqual(only200)
  }, 15_000)

  test('a newer epoch takes over, and nobody is dropped or turned away', async () => {
    const statuses = await step('e1 → e2', async () => {
      e2 = await engine(2, 1)
      expect(e2.status).toBe(200)
      await hears(old[0]!, 660, { timeoutMs: 5000 })
    })
    expect(statuses).toEqual(only200)
  }, 15_000)

  test('an older epoch is refused, and the newer one plays on', async () => {
    const statuses = await step('stale e1', async () => {
      expect((await engine(1, 0)).status).toBe(401)
      expect(e2.isConnected).toBe(true)
      await hears(old[0]!, 660, { timeoutMs: 5000 })
    })
    expect(statuses).toEqual(only200)
  }, 15_000)

  test('an engine dies: everybody stays and hears the filler, and nobody who comes in that moment is turned away', async () => {
    expect(await step('e2 dies', async () => e2.die())).toEqual(only200)
    await waitFor('silence', () => old[0]!.framesSince(performance.now() - 200).every((frame) => frame.silent), {
      timeoutMs: 3000,
    })
  }, 15_000)

  test('an engine comes back with the same epoch after its connection was lost', async () => {
    const first = await engine(2, 1)
    expect(first.status).toBe(200)
    first.hang()
    const statuses = await step('e2 again', async () => {
      expect((await engine(2, 2)).status).toBe(200)
      await hears(old[0]!, 880, { timeoutMs: 5000 })
    })
    expect(statuses).toEqual(only200)
    expect(first.isConnected).toBe(false)
  }, 15_000)
})

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { openListener } from '@skipcast/testing'
import { join } from 'node:path'
import { fakeEngine, toneFrames, type FakeEngine, type Frames } from './fake-engine.ts'
import { machine, type Machine } from './role.ts'

const MOUNTS = ['/c0', '/c1', '/c2', '/c3', '/c4', '/c5', '/c6', '/c7']
const LISTENERS = 3
/** After so long it is asked who is left. */
const GUARD_FOR_MS = 500
const ROUNDS = 2

const owned = new AsyncDisposableStack()
let here: Machine
let frames: Frames

beforeAll(async () => {
  here = owned.use(await machine())
  owned.use(await here.start({ guardForMs: GUARD_FOR_MS, passEveryMs: 20 })) // it is looked at every moment
  frames = await toneFrames(join(here.home, 'tone.mp3'), 440)
}, 30_000)
afterAll(() => owned.disposeAsync())

const engine = async (mount: string): Promise<FakeEngine> =>
  owned.use(await fakeEngine({ port: here.port, mount, password: here.token(mount.slice(1), mount, 1), frames }))

test('those who are on their way from one mount to another are not taken for gone, when all engines die and come back', async () => {
  for (const mount of MOUNTS) await here.command('start_stream', mount.slice(1), mount)
  for (const mount of MOUNTS) await here.untilFed(mount)
  let engines = await Promise.all(MOUNTS.map(engine))
  const urls = MOUNTS.flatMap((mount) => Array.from({ length: LISTENERS }, () => here.url(mount)))
  const listeners = await Promise.all(urls.map(async (url) => owned.use(await openListener(url))))
  const closures = () => listeners.flatMap((listener) => listener.closures)
  const allHear = (what: 'silence' | 'the programme') =>
    waitFor(
      `all to hear ${what}`,
      () =>
        closures().length > 0 ||
        listeners.every((listener) => {
          const lately = listener.framesSince(performance.now() - 200)
          return lately.length > 0 && lately.every(({ silent }) => silent === (what === 'silence'))
        }),
      { timeoutMs: 10_000 },
    )

  for (let round = 0; round < ROUNDS; round++) {
    await allHear('the programme')
    const mark = performance.now()
    await waitFor('nobody to have come for a while', () => performance.now() - mark > 2 * GUARD_FOR_MS, { timeoutMs: 5000 })
    for (const one of engines) one.die()
    await allHear('silence')
    engines = await Promise.all(MOUNTS.map(engine))
  }
  await allHear('the programme')
  expect(closures()).toEqual([])
}, 60_000)

import { expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import { ApiRefusal, type Placement, type Server } from '../api-client.ts'
import { upgradeServer, type UpgradePorts } from './upgrade-server.ts'

type Api = UpgradePorts['api']

/** Two servers, of which `a` has channels that leave one at a look. */
function setUp({ channels = 2, others = ['b'], state = 'open', stays = 0, playsOn = 0 } = {}) {
  const scene = {
    now: 0,
    left: channels,
    playsOn,
    drained: false,
    away: 0,
    did: [] as string[],
    said: [] as string[],
    interrupted: false,
  }
  const server = (id: string): Server => {
    const isA = id === 'a'
    return {
      id,
      state: !isA ? 'open' : scene.drained ? 'draining' : state,
      last_heard_at: '',
      labels: {},
      capacity: 10,
      placed: { channels: isA ? scene.left : 0, cost: 0 },
      drain: isA && scene.drained ? { since: '', by: 'me' } : null,
      channels: isA ? Math.max(scene.left, scene.playsOn) : 0,
      versions: {},
    }
  }
  const api: Api = {
    async servers() {
      if (scene.drained && scene.left > stays) scene.left -= 1
      else scene.playsOn = 0
      return ['a', ...others].map(server)
    },
    async drain(_id, to) {
      if (to === 'undrain' && scene.away-- > 0)
        throw scene.away > 0
          ? new AppError('HOST_UNREACHABLE', 'No Skipcast answers')
          : new ApiRefusal(404, 'There is no such server')
      scene.did.push(to)
      scene.drained = to === 'drain'
      return server('a')
    },
    channels: async () => [{ id: 'c', name: 'c', slug: 'stuck', state: 'on' }],
    placement: async () =>
      ({
        pinned_server: null,
        servers: [
          { id: 'a', has: 'primary', refused_because: [] },
          { id: 'b', has: null, refused_because: ['it is full'] },
        ],
      }) as unknown as Placement,
  }
  const ports: UpgradePorts = {
    api,
    terminal: { note: (text) => void scene.said.push(text), draw() {}, settle() {}, isWatched: false },
    run: async (command) => (scene.did.push(command.join(' ')), 0),
    pause: async (ms) => void (scene.now += ms),
    isInterrupted: () => scene.interrupted,
    clock: () => scene.now,
  }
  const upgrade = (more: Partial<UpgradePorts> = {}) =>
    upgradeServer({ ...ports, ...more }, { serverId: 'a', command: ['apt-get', 'install', '-y', 'x'], limitMs: 5000 })
  return { scene, upgrade }
}

test('a server is emptied, the command is run, and it takes channels again', async () => {
  const { scene, upgrade } = setUp({ channels: 2, playsOn: 1 })
  expect(await upgrade()).toBe(0)
  expect(scene.did).toEqual(['drain', 'apt-get install -y x', 'undrain'])
  expect(scene.said).toEqual([
    'a: 1 channel left',
    'a: 0 channels left',
    expect.stringContaining('a is empty'),
    'apt-get ended with exit code 0',
    'a takes channels again (open)',
  ])
})

test('whatever becomes of the command, the server takes channels again, and its end is told', async () => {
  for (const [ended, said] of [
    [7, 'apt-get ended with exit code 7'],
    ['ended by SIGINT', 'apt-get: ended by SIGINT'],
    ['there is no such program', 'apt-get: there is no such program'],
  ] as const) {
    const { scene, upgrade } = setUp()
    expect(await upgrade({ run: async () => ended })).toBe(1)
    expect([scene.did, scene.said]).toEqual([['drain', 'undrain'], expect.arrayContaining([said])])
  }
})

test('what does not leave in time is told, with why, and the command is not run', async () => {
  const { scene, upgrade } = setUp({ stays: 1 })
  expect(await upgrade()).toBe(1)
  expect(scene.did).toEqual(['drain', 'undrain'])
  expect(scene.said).toContain('  stuck: no other server can have it (b: it is full)')
})

test('who is interrupted leaves the server open and runs nothing', async () => {
  const { scene, upgrade } = setUp({ stays: 1 })
  const pause = async () => void (scene.interrupted = true)
  expect(await upgrade({ pause })).toBe(1)
  expect([scene.did, scene.said]).toEqual([
    ['drain', 'undrain'],
    expect.arrayContaining([expect.stringContaining('Interrupted')]),
  ])
})

test('the only server is left alone, and how to upgrade it is said', async () => {
  const { scene, upgrade } = setUp({ others: [] })
  expect(await upgrade()).toBe(1)
  expect([scene.did, scene.said[0]]).toEqual([[], expect.stringContaining('adopted')])
})

test('one that nobody hears, or knows, is left alone', async () => {
  const lost = setUp({ state: 'lost' })
  expect([await lost.upgrade(), lost.scene.did]).toEqual([1, []])
  const { scene, upgrade } = setUp()
  expect(await upgrade({ api: { servers: async () => [] } as unknown as Api })).toBe(1)
  expect([scene.did, scene.said]).toEqual([[], [expect.stringContaining('no server a')]])
})

test('one that was to be empty before stays so', async () => {
  const { scene, upgrade } = setUp()
  scene.drained = true
  expect(await upgrade()).toBe(0)
  expect(scene.did).toEqual(['drain', 'apt-get install -y x'])
  expect(scene.said.at(-1)).toContain('servers undrain a')
})

test('an API that the command restarted is waited for', async () => {
  const { scene, upgrade } = setUp()
  scene.away = 3
  expect(await upgrade()).toBe(0)
  expect(scene.did.at(-1)).toBe('undrain')
  scene.away = 1000
  expect(await upgrade()).toBe(1)
  expect(scene.said.at(-1)).toContain('Open it: servers undrain a')
})

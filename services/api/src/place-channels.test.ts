import { expect, test } from '@jest/globals'
import type { Channel, Stores } from '@skipcast/db'
import { AppError, healthBoard, silentLogger } from '@skipcast/runtime'
import type { ServerSight } from './domain/stream-view.ts'
import { placementPass } from './place-channels.ts'
import type { Fleet } from './ports.ts'

/** Channels in memory, one cost unit each, on servers that are as the test says. */
function setUp(
  servers: Record<string, ServerSight['kind'] | 'drained'>,
  limits = { urgentPerSecond: 100, plannedPerSecond: 100 },
) {
  const rows = new Map<string, Channel>()
  const scene = { servers, now: 0, isLeader: true, moved: [] as string[], meanwhile: () => {} }
  const add = (id: string, serverId: string | null) => {
    const placement = {
      replicas: 1,
      serverLabels: {},
      pinnedServerId: null,
      serverId,
      standbyServerId: null,
      standbyEpoch: 0,
      epoch: 1,
    }
    rows.set(id, { id, wanted: 'on', mode: 'copy', format: 'mp3', ...placement } as unknown as Channel)
  }
  const channels = {
    readBooks: async () => ({
      placed: [...Map.groupBy(rows.values(), ({ serverId }) => serverId)].flatMap(([serverId, { length }]) =>
        serverId === null ? [] : [{ serverId, mode: 'copy', format: 'mp3', channels: length }],
      ),
      drained: Object.keys(scene.servers).filter((id) => scene.servers[id] === 'drained'),
    }),
    listMisplaced: async () => [...rows.values()],
    async change(seen: Channel, decide: (channel: Channel) => Partial<Channel> | null) {
      const row = rows.get(seen.id)!
      const change = decide(row)
      if (change) rows.set(seen.id, { ...row, ...change, epoch: row.epoch + 1 })
    },
  }
  const sight = (id: string): ServerSight => {
    const kind = scene.servers[id]
    return kind === 'silent' ? { kind, since: 0 } : { kind: kind === 'unknown' ? kind : 'heard' }
  }
  const list = () => Object.keys(scene.servers).map((id) => ({ heartbeat: { server_id: id, capacity: 100, labels: {} } }))
  const health = healthBoard()
  const pass = placementPass(
    {
      stores: { channels } as unknown as Stores,
      fleet: { sight, list } as unknown as Fleet,
      settings: { maxSilentPercent: 50 },
      random: () => 0.5,
      health,
      logger: silentLogger(),
      async confirmLead() {
        scene.meanwhile()
        if (!scene.isLeader) throw new AppError('DATABASE_UNAVAILABLE', 'The lead is lost')
      },
      onMoved: (because) => void scene.moved.push(because),
      clock: () => scene.now,
    },
    limits,
  )
  const on = (server: string | null) => [...rows.values()].filter(({ serverId }) => serverId === server).length
  return { scene, add, on, pass, rows, health }
}

test('who lost the lead moves nothing, whatever it sees', async () => {
  const { scene, add, on, pass } = setUp({ a: 'silent', b: 'heard' })
  add('x', 'a')
  scene.isLeader = false
  await expect(pass()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  expect(on('a')).toBe(1)
  scene.isLeader = true
  await pass()
  expect([on('b'), scene.moved]).toEqual([1, ['lost']])
})

test('what nobody plays moves at once, what plays a few each second, spread over it', async () => {
  const { scene, add, on, pass } = setUp(
    { a: 'drained', b: 'heard', c: 'silent', d: 'heard' },
    { urgentPerSecond: 50, plannedPerSecond: 4 },
  )
  for (let index = 0; index < 10; index++) {
    add(`plays-${index}`, 'a')
    add(`lost-${index}`, 'c')
  }
  expect([await pass(), on('a'), on('c')]).toEqual([9, 9, 0])
  expect([await pass(), on('a')]).toEqual([9, 9])
  for (let left = 8; left >= 0; left--) {
    scene.now += 250
    expect([await pass(), on('a')]).toEqual([left, left])
  }
})

test('a channel that is not as it was seen any more is left alone', async () => {
  const { scene, add, pass, rows } = setUp({ a: 'silent', b: 'heard' })
  add('x', 'a')
  scene.meanwhile = () => void rows.set('x', { ...rows.get('x')!, serverId: 'elsewhere', epoch: 2 })
  await pass()
  expect(scene.moved).toEqual([])
  expect(rows.get('x')).toMatchObject({ serverId: 'elsewhere', epoch: 2 })
})

test('when most servers fall silent at once none is given up, health says so, and it is over when they are heard', async () => {
  const { scene, add, on, pass, health } = setUp({ a: 'silent', b: 'silent', c: 'heard' })
  add('x', 'a')
  add('y', 'b')
  add('z', 'c')
  await pass()
  expect([on('a'), on('b'), health.read()['failover']?.ok]).toEqual([1, 1, false])
  scene.servers['b'] = 'heard'
  await pass()
  expect([on('a'), on('b'), health.read()['failover']?.ok]).toEqual([0, expect.any(Number), true])
})

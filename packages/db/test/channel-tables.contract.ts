import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { ChannelStore } from '../src/stores/channels.ts'
import type { Outbox } from '../src/stores/outbox.ts'
import type { Channel } from '../src/stores/records.ts'

/** The tables of channels and the outbox, and what the suite needs beside them. */
export interface TablesUnderTest extends AsyncDisposable {
  readonly channels: Pick<
    ChannelStore,
    'find' | 'change' | 'remove' | 'listWanted' | 'listStates' | 'listCommandedSince' | 'listMisplaced' | 'readBooks'
  >
  readonly outbox: Outbox
  /** A channel that is off, with so many tracks. */
  make(tracks: number): Promise<Channel>
  /** Leaves it with so many of them. */
  leaveTracks(channelId: string, count: number): Promise<Channel>
}

/** What the simulation counts on: both the real tables and their twin in memory keep it. */
export function channelTablesContract(name: string, open: () => Promise<TablesUnderTest>): void {
  describe(`tables of channels (${name})`, () => {
    let tables: TablesUnderTest
    beforeEach(async () => void (tables = await open()), 60_000)
    afterEach(async () => tables[Symbol.asyncDispose]())

    const start = (channel: Channel, serverId: string | null = 'one') =>
      tables.channels.change(channel, () => ({ wanted: 'on', serverId }))
    const waiting = async () =>
      (await tables.outbox.exchange([], [])).map(({ key, payload }) => {
        const command = payload as { event: string; generation: number; epoch: number; tracks: unknown[] } | null
        return command && [key, command.event, command.generation, command.epoch, command.tracks.length]
      })

    test('a start, a change and a move are one generation and one command each; a move is one epoch', async () => {
      const channel = await tables.make(2)
      await start(channel)
      await tables.channels.change(channel.id, () => ({ name: 'other' }))
      const moved = await tables.channels.change(channel.id, () => ({ serverId: 'two' }))
      expect(moved).toMatchObject({ name: 'other', generation: 3, epoch: 2, serverId: 'two', wanted: 'on' })
      expect(await tables.channels.find(channel.id)).toEqual(moved)
      expect(await waiting()).toEqual([
        [channel.id, 'start_stream', 1, 1, 2],
        [channel.id, 'start_stream', 2, 1, 2],
        [channel.id, 'start_stream', 3, 2, 2],
      ])
    })

    test('replicas have epochs of one count and a mount each, which the one that is promoted keeps', async () => {
      const channel = await tables.make(1)
      await start(channel)
      const place = (serverId: string | null, standbyServerId: string | null = null) =>
        tables.channels.change(channel.id, () => ({ serverId, standbyServerId }))
      expect(await place('one', 'two')).toMatchObject({ epoch: 1, primaryMount: 'own', standbyEpoch: 2 })
      expect(await place('two', 'one')).toMatchObject({ epoch: 2, primaryMount: 'waiting', standbyEpoch: 3, movedFrom: 'one' })
      const alone = await place('three')
      expect(alone).toMatchObject({ epoch: 4, primaryMount: 'own', standbyServerId: null, standbyEpoch: 3, movedFrom: 'two' })
      expect(await tables.channels.find(channel.id)).toEqual(alone)
    })

    test('who had an off channel before has nothing to hand over', async () => {
      const channel = await tables.make(1)
      await start(channel)
      await tables.channels.change(channel.id, () => ({ serverId: 'two', handOver: 'now' }))
      await tables.channels.change(channel.id, () => ({ wanted: 'off' }))
      expect(await start(channel, 'two')).toMatchObject({ epoch: 2, movedFrom: null, handOver: null })
    })

    test('what is changed of an off channel concerns nobody', async () => {
      const channel = await tables.make(1)
      expect(await tables.channels.change(channel, () => ({ name: 'other' }))).toMatchObject({ name: 'other', generation: 0 })
      expect(await tables.channels.change(channel.id, () => null)).toMatchObject({ name: 'other' })
      expect(await waiting()).toEqual([])
    })

    test('what was decided on an old picture is decided again', async () => {
      const seen = await tables.make(1)
      await start(seen, 'one')
      const asked: string[] = []
      const changed = await tables.channels.change(seen, ({ wanted, generation }) => {
        asked.push(`${wanted} ${generation}`)
        return wanted === 'on' ? { wanted: 'off' } : { wanted: 'on', serverId: 'two' }
      })
      expect(asked).toEqual(['off 0', 'on 1'])
      expect(changed).toMatchObject({ wanted: 'off', serverId: 'one', generation: 2, epoch: 1 })
    })

    test('of many changes at once none is lost, and commands stand in the order of their generations', async () => {
      const channel = await start(await tables.make(1))
      await Promise.all(Array.from({ length: 20 }, (_, i) => tables.channels.change(channel, () => ({ name: `n${i}` }))))
      expect(await tables.channels.find(channel.id)).toMatchObject({ generation: 21 })
      expect((await waiting()).map((row) => row![2])).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
    })

    test('a change that fails leaves neither state nor command', async () => {
      const empty = await tables.make(0)
      await expect(start(empty)).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await tables.channels.find(empty.id)).toMatchObject({ wanted: 'off', generation: 0, revision: empty.revision })
      await expect(tables.channels.change('nobody', () => ({ name: 'n' }))).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await waiting()).toEqual([])
    })

    test('another playlist of a wanted channel is a command; none at all is refused', async () => {
      const channel = await start(await tables.make(3))
      expect(await tables.leaveTracks(channel.id, 1)).toMatchObject({ generation: 2, epoch: 1 })
      await expect(tables.leaveTracks(channel.id, 0)).rejects.toMatchObject({ code: 'CONFLICT' })
      expect((await waiting()).map((row) => row!.slice(1))).toEqual([
        ['start_stream', 1, 1, 3],
        ['start_stream', 2, 1, 1],
      ])
    })

    test('a removed channel is stopped first, then its key goes', async () => {
      const channel = await start(await tables.make(1))
      await tables.channels.remove(channel.id)
      await expect(tables.channels.remove(channel.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await tables.channels.find(channel.id)).toBeNull()
      expect(await waiting()).toEqual([[channel.id, 'start_stream', 1, 1, 1], [channel.id, 'stop_stream', 2, 1, 0], null])
    })

    test('lists who is wanted, who waits for a server, and what each server has', async () => {
      const [placed, waits, off] = [await tables.make(1), await tables.make(2), await tables.make(1)]
      await start(placed)
      await start(waits, null)
      const one = { id: 'one', labels: { region: 'eu', disk: 'ssd' } }
      const misplaced = async (...settled: (typeof one)[]) =>
        new Set((await tables.channels.listMisplaced(settled, 10)).map(({ id }) => id))
      expect(await misplaced(one)).toEqual(new Set([waits.id]))
      expect(await misplaced()).toEqual(new Set([placed.id, waits.id]))
      const { placed: books, drained } = await tables.channels.readBooks()
      expect(books).toEqual([{ serverId: 'one', mode: 'copy', format: 'mp3', channels: 1 }])
      expect(drained).toEqual([])
      const wanted = await tables.channels.listWanted('', 10)
      expect(wanted.map(({ channel, tracks }) => [channel.id, tracks.length])).toEqual(
        [[placed.id, 1] as const, [waits.id, 2] as const].toSorted(([one], [other]) => (one < other ? -1 : 1)),
      )
      expect((await tables.channels.listWanted(wanted[0]!.channel.id, 10)).length).toBe(1)
      const since = (await tables.channels.find(waits.id))!.commandedAt!
      const commanded = await tables.channels.listCommandedSince(new Date(since.getTime() - 60_000), 10)
      expect(new Set(commanded)).toEqual(new Set([placed.id, waits.id]))
      expect(await tables.channels.listCommandedSince(new Date(since.getTime() + 60_000), 10)).toEqual([])
      const states = await tables.channels.listStates([off.id, 'nobody'])
      expect(states.map(({ channel }) => channel.id)).toEqual([off.id])
    })

    test('lists who has not the servers that it wishes for', async () => {
      const servers = ['one', 'two'].map((id) => ({ id, labels: { region: 'eu', name: id } }))
      const isMisplaced = async (id: string) =>
        (await tables.channels.listMisplaced(servers, 10)).some((channel) => channel.id === id)
      const { id } = await start(await tables.make(1))
      const change = (...[fields]: [ReturnType<Parameters<typeof tables.channels.change>[1]>]) =>
        tables.channels.change(id, () => fields)
      expect(await isMisplaced(id)).toBe(false)
      await change({ serverLabels: { region: 'eu' } })
      expect(await isMisplaced(id)).toBe(false)
      await change({ serverLabels: { region: 'us' } })
      expect(await isMisplaced(id)).toBe(true)
      await change({ serverLabels: {}, pinnedServerId: 'two' })
      expect(await isMisplaced(id)).toBe(true)
      await change({ serverId: 'two' })
      expect(await isMisplaced(id)).toBe(false)
      await change({ pinnedServerId: null, replicas: 2 })
      expect(await isMisplaced(id)).toBe(true)
      await change({ standbyServerId: 'two' })
      expect(await isMisplaced(id)).toBe(true)
      await change({ standbyServerId: 'one' })
      expect(await isMisplaced(id)).toBe(false)
      await change({ replicas: 1 })
      expect(await isMisplaced(id)).toBe(true)
      await change({ standbyServerId: null })
      await change({ serverId: 'one', movedBecause: 'moved', handOver: 'track_end' })
      expect(await isMisplaced(id)).toBe(false)
      servers.pop() // where the track is played whose end it waits for
      expect(await isMisplaced(id)).toBe(true)
      const { generation } = (await tables.channels.find(id))!
      expect(await change({ handOver: null })).toMatchObject({ serverId: 'one', handOver: null, generation: generation + 1 })
      expect(await isMisplaced(id)).toBe(false)
    })

    test('the outbox forgets what it is told to, and passes over what is held or set aside', async () => {
      const channel = await start(await tables.make(1))
      for (const name of ['a', 'b', 'c']) await tables.channels.change(channel.id, () => ({ name }))
      const [first, second, third] = await tables.outbox.exchange([], [])
      const rest = await tables.outbox.exchange([first!], [second!])
      expect(rest.map(({ id }) => id)).toEqual(expect.not.arrayContaining([first!.id, second!.id]))
      expect(rest).toHaveLength(2)
      await tables.outbox.setAside(third!, 'can never go')
      expect((await tables.outbox.exchange([], [])).map(({ id }) => id)).toEqual([second!.id, rest[1]!.id])
      await tables.outbox.confirmLead()
    })
  })
}

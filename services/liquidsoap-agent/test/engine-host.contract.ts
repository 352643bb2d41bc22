import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import type { Engine } from '../src/domain/engine.ts'
import type { EngineHost } from '../src/ports.ts'
import { aStream, aTrack } from './streams.ts'

/** A host and what only tests may do to its engines. */
export interface HostUnderTest extends AsyncDisposable {
  readonly host: EngineHost
  /** Another host of the same machine, as the next agent would open it. */
  again(): Promise<EngineHost>
  /** Ends an engine as `kill -9` does. */
  kill(engineId: string): Promise<void>
}

const TIMEOUT_MS = 15_000

/** What every EngineHost promises. `tracks` are media ids whose files the host's engines can play. */
export function engineHostContract(name: string, open: () => Promise<HostUnderTest>): void {
  describe(`an engine host (${name})`, () => {
    let subject: HostUnderTest
    let host: EngineHost

    beforeEach(async () => {
      subject = await open()
      host = subject.host
    }, 60_000)
    afterEach(async () => {
      for (const { id } of await host.list()) await host.stop(id, { kill: true })
      await host[Symbol.asyncDispose]()
      await subject[Symbol.asyncDispose]()
    }, 60_000)

    const engine = async (): Promise<Engine> => {
      await host.start()
      return waitFor('the engine to run', async () => (await host.list()).find(({ state }) => state === 'running'), {
        timeoutMs: TIMEOUT_MS,
      })
    }
    const channels = async (from = host) => (await from.list()).flatMap((each) => each.channels)

    test('starts engines that run, hold nothing and end when stopped', async () => {
      expect(await host.list()).toEqual([])
      const { id } = await engine()
      expect(await host.list()).toEqual([
        { id, state: 'running', silentMs: 0, isOutdated: false, channelsAdded: 0, memoryBytes: expect.any(Number), channels: [] },
      ])
      await host.stop(id)
      await host.stop(id)
      expect(await host.list()).toEqual([])
    })

    test('gives back every record that was handed in, also to the next agent', async () => {
      const { id } = await engine()
      const streams = ['a', 'b'].map((channelId) => aStream(channelId, { epoch: 3, generation: 7 }))
      for (const stream of streams) await host.add(id, stream)
      const found = await channels(await subject.again())
      expect(
        found.map(({ live, ...record }) => (live ? record : null)).sort((a, b) => a!.channelId.localeCompare(b!.channelId)),
      ).toEqual(streams.map(({ record }) => record))
    })

    test('begins a channel within its first track, into either mount', async () => {
      const { id } = await engine()
      const stream = aStream('a', { source_token: 'a-password-of-tests', mount: '/w/a' })
      await host.add(id, { ...stream, offsetMs: 2000 })
      const find = async () => (await channels())[0]!.live!.track
      const track = await waitFor('the track', find, { timeoutMs: TIMEOUT_MS })
      expect(track.startedAt - track.sentAt).toBeGreaterThanOrEqual(2000 - 1)
    })

    test('loads another plan under a new record and keeps the channel', async () => {
      const { id } = await engine()
      await host.add(id, aStream('a'))
      const [before] = await channels()
      const changed = aStream('a', { generation: 2, tracks: [aTrack('one'), aTrack('two')] })
      await host.load(id, changed)
      const [after] = await channels()
      expect(after).toMatchObject(changed.record)
      expect(after!.live!.recordId).toBe(before!.live!.recordId)
    })

    test('removes a channel, and an absent one does nothing', async () => {
      const { id } = await engine()
      await host.add(id, aStream('a'))
      await host.remove(id, 'a')
      await host.remove(id, 'a')
      expect(await channels()).toEqual([])
      await host.add(id, aStream('a'))
      const [again] = await host.list()
      expect(again).toMatchObject({ channelsAdded: 2, channels: [{ channelId: 'a', live: { recordId: 'c2' } }] })
    })

    test('tells what plays, each event once until it is acknowledged', async () => {
      const { id } = await engine()
      const stream = aStream('a', { source_token: 'a-password-of-tests' })
      await host.add(id, stream)
      const events = await waitFor(
        'the track',
        async () => {
          const news = await host.readEvents(id)
          return news.some(({ event }) => event === 'track_started') && news
        },
        { timeoutMs: TIMEOUT_MS },
      )
      expect(events.find(({ event }) => event === 'track_started')).toMatchObject({
        track: 'one',
        title: 'Title one',
        artist: 'Artist',
        data: JSON.stringify(stream.record),
      })
      expect(await host.readEvents(id)).toEqual(expect.arrayContaining([...events]))
      await host.acknowledge(id, events.at(-1)!.seq)
      const next = await subject.again()
      expect((await next.readEvents(id)).filter(({ seq }) => seq <= events.at(-1)!.seq)).toEqual([])
    })

    test('shows a killed engine as dead with what it held, tells that at once, and clears it away', async () => {
      const { id } = await engine()
      const stream = aStream('a')
      await host.add(id, stream)
      let changes = 0
      host.onChange(() => (changes += 1))
      await subject.kill(id)
      await waitFor('the change to be told', () => changes > 0, { timeoutMs: 2000, everyMs: 5 })
      expect(await host.list()).toMatchObject([{ id, state: 'dead', channels: [{ ...stream.record, live: null }] }])
      expect((await host.readEvents(id)).map(({ event }) => event)).toContain('added')
      await expect(host.add(id, aStream('b'))).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
      await expect(host.remove(id, 'a')).rejects.toMatchObject({ code: 'ENGINE_UNREACHABLE' })
      await host.stop(id)
      expect(await host.list()).toEqual([])
    })

    test('refuses a mount or a token that would write a header of its own', async () => {
      const { id } = await engine()
      for (const hostile of [
        { mount: '/a\r\nX-Evil: 1' },
        { mount: '/a b' },
        { source_token: 'x\r\nX-Evil: 1' },
        { channel_id: '../a' },
      ]) {
        await expect(host.add(id, aStream('a', hostile))).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
      }
      expect(await channels()).toEqual([])
    })
  })
}

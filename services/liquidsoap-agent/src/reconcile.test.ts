import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import { agentBench, fakeCache, type AgentBench } from '../test/agent-bench.ts'
import { aStart, aTrack } from '../test/streams.ts'
import type { MediaCache } from './ports.ts'

let bench: AgentBench

beforeEach(() => {
  bench = agentBench()
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
})

describe('a reconciling agent', () => {
  test('runs what is wanted here and keeps an engine ready', async () => {
    await bench.want(aStart('a'), aStart('b'), aStart('c'), aStart('elsewhere', { server_id: 'there' }))
    const here = await bench.agent()
    await here.settle()
    expect(here.held()).toEqual(['a', 'b', 'c'])
    expect(new Set(here.subject.seen.engines.map(({ channels }) => channels.length))).toEqual(new Set([0, 1, 2]))
  })

  test('touches nothing before it knows what is wanted', async () => {
    await bench.want(aStart('a'))
    const first = await bench.agent()
    await first.settle()
    bench.bus.outage(true)
    const second = await bench.agent({ isCaughtUp: false })
    await second.settle()
    expect(second.subject.seen).toMatchObject({ wanted: null })
    expect(second.held()).toEqual(['a'])
  })

  test('fetches the first track of every channel first, and starts it without waiting for the rest', async () => {
    const asked: string[] = []
    const cache = fakeCache()
    const slow: MediaCache = {
      ...cache,
      async fetch(sha256) {
        asked.push(sha256)
        if (asked.length > 2) await new Promise(() => {})
        cache.files.add(sha256)
      },
    }
    const tracks = (name: string) => ['1', '2', '3', '4'].map((n) => aTrack(`${name}${n}`))
    await bench.want(aStart('a', { tracks: tracks('a') }), aStart('b', { tracks: tracks('b') }))
    const here = await bench.agent({ cache: slow })
    await here.settle()
    expect(asked.slice(0, 2)).toEqual([aTrack('a1').sha256, aTrack('b1').sha256])
    expect(asked).toHaveLength(6)
    expect(here.held()).toEqual(['a', 'b'])
  })

  test('calls no file missing that did not get to a host which is not reached', async () => {
    const cache: MediaCache = {
      ...fakeCache(),
      fetch: async () => {
        throw new AppError('HOST_UNREACHABLE', 'The machine can not be reached')
      },
    }
    await bench.want(aStart('a'))
    const here = await bench.agent({ cache })
    await here.settle()
    expect(here.subject.seen.wanted!.get('a')).toMatchObject({ lack: null, absent: { count: 0 } })
  })

  test('plays what it has when a file is missing', async () => {
    const tracks = [aTrack('gone'), aTrack('here')]
    await bench.want(aStart('a', { tracks }), aStart('b', { tracks: [aTrack('gone')] }))
    const here = await bench.agent({ cache: fakeCache(new Set([aTrack('gone').sha256])) })
    await here.settle()
    expect(here.held()).toEqual(['a'])
    expect(here.subject.seen.wanted!.get('b')).toMatchObject({ lack: 'MEDIA_MISSING' })
  })
})

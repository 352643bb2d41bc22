import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { agentBench, fakeCache, type AgentBench } from '../test/agent-bench.ts'
import { aStart } from '../test/streams.ts'

let bench: AgentBench

beforeEach(() => {
  bench = agentBench()
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
})

describe('a reconciling agent, when something fails,', () => {
  test('starts the channels of a killed engine in another one at once, and says that it crashed', async () => {
    await bench.want(aStart('a'))
    const here = await bench.agent()
    await here.settle()
    const id = here.busyEngine()
    bench.machine.kill(id)
    await here.subject.pass()
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_CRASHED' })
    await here.settle()
    expect(here.held()).toEqual(['a'])
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(false)
    expect(bench.journaled.filter(({ event }) => event === 'track_started').map(({ id: eventId }) => eventId)).toContain(
      `${id}.3`,
    )
  })

  test('notes a crash no sooner than it shows it, or who reports would take what is gone for well', async () => {
    const cache = fakeCache()
    const here = await bench.agent({ cache })
    await bench.want(aStart('a'))
    await here.settle()
    const seenAhead: boolean[] = []
    cache.list = async () => {
      seenAhead.push(here.troubles.of('a') !== null && here.subject.seen.engines.every(({ state }) => state !== 'dead'))
      return cache.files
    }
    bench.machine.kill(here.busyEngine())
    await here.subject.pass()
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_CRASHED' })
    expect(seenAhead.length).toBeGreaterThan(0)
    expect(seenAhead).not.toContain(true)
  })

  test('holds a channel back that crashed again, and no other', async () => {
    await bench.want(aStart('a'))
    const here = await bench.agent()
    for (let crash = 0; crash < 2; crash++) {
      await here.settle()
      bench.machine.kill(here.busyEngine())
    }
    await bench.want(aStart('b'))
    await here.settle()
    expect(here.held()).toEqual(['b'])
    bench.now += 1000
    await here.settle()
    expect(here.held()).toEqual(['a', 'b'])
  })

  test('stops a frozen engine after a while and starts its channel elsewhere', async () => {
    await bench.want(aStart('a'))
    const here = await bench.agent()
    await here.settle()
    const id = here.busyEngine()
    bench.machine.freeze(id, 3000)
    await here.settle()
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(true)
    bench.machine.freeze(id, 6000)
    await here.settle()
    expect(here.subject.seen.engines.some((engine) => engine.id === id)).toBe(false)
    expect(here.held()).toEqual(['a'])
    expect(here.troubles.of('a')).toMatchObject({ code: 'ENGINE_SILENT' })
  })

  test('lets an engine live that did not answer while the agent itself did not run', async () => {
    await bench.want(aStart('a'))
    const here = await bench.agent()
    await here.settle()
    const id = here.busyEngine()
    bench.machine.freeze(id, 9000)
    bench.stallEndedAt = bench.now
    await here.settle()
    expect(here.subject.seen.engines.find((engine) => engine.id === id)).toMatchObject({ state: 'silent' })
    expect(here.troubles.of('a')).toBeNull()
  })

  test('says that the disk is full, which is no fault of a channel: they share an engine again when there is room', async () => {
    await bench.want(aStart('a'), aStart('b'))
    const here = await bench.agent()
    bench.machine.fillDisk(true)
    for (let time = 0; time < 9; time++) {
      await here.settle()
      bench.now += 31_000
    }
    expect(here.held()).toEqual([])
    expect(here.troubles.of('a')).toMatchObject({ code: 'DISK_FULL' })
    bench.machine.fillDisk(false)
    await here.settle()
    expect(here.subject.seen.engines.map(({ channels }) => channels.length)).toEqual(expect.arrayContaining([0, 2]))
  })

  test('says that no engine can be started, and tries again by itself', async () => {
    bench.machine.failStarts(true)
    await bench.want(aStart('a'))
    const here = await bench.agent()
    await here.settle()
    expect(here.subject.seen).toMatchObject({ startTrouble: 'ENGINE_START_FAILED', engines: [] })
    bench.machine.failStarts(false)
    const before = here.nudges()
    await waitFor('the nudge', () => here.nudges() > before, { timeoutMs: 3000 })
    bench.now += 1000
    await here.settle()
    expect(here.held()).toEqual(['a'])
    expect(here.subject.seen.startTrouble).toBeNull()
  })

  test('does nothing and blames nobody while its host is not reached, says so, and goes on when it is', async () => {
    await bench.want(aStart('a'))
    const here = await bench.agent()
    expect(here.subject.seen.reach).toBe('unknown')
    await here.settle()
    const { engines } = here.subject.seen
    bench.machine.cut(true)
    await bench.want(aStart('b'))
    await here.settle()
    expect(here.subject.seen).toMatchObject({ reach: { code: 'HOST_UNREACHABLE' }, engines, startTrouble: null })
    expect(here.troubles.of('a') ?? here.troubles.of('b') ?? null).toBeNull()
    bench.machine.cut(false)
    await here.settle()
    expect(here.subject.seen.reach).toBe('reached')
    expect(here.held()).toEqual(['a', 'b'])
  })
})

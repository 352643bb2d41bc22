import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { activeMount } from './active-mount.ts'
import { mountsOf, otherMount, readMount } from './mounts.ts'
import { plan, type Guard, type ObservedMount, type Situation, type Sound, type Step, type WantedChannel } from './plan.ts'

const mp3 = (bitrateKbps: number): Sound => ({ format: 'mp3', bitrateKbps })
const channel = (mount: string, bitrateKbps = 128, format: Sound['format'] = 'mp3'): WantedChannel => ({
  channelId: `id-of-${mount}`,
  mount,
  format,
  bitrateKbps,
  primary: { mount, epoch: 1 },
  standby: null,
  isSigned: false,
  generation: 1,
  maxListeners: null,
  newestEpoch: 0,
})
const byMount = (...channels: WantedChannel[]) => new Map(channels.map((entry) => [entry.mount, entry]))
const calm: Situation = {
  wanted: new Map(),
  isComplete: true,
  fed: new Map(),
  engines: new Set(['/a']),
  activeOf: (mount) => mount,
  observed: new Map(),
  strangers: new Set(),
  guards: new Map([
    ['/a', 'raised'],
    ['/b', 'lowered'],
  ]),
}
const source = (fallback: string | null = null, listeners = 0): ObservedMount => ({ fallback, listeners, format: 'mp3' })
const onBoth = (first: ObservedMount, second: ObservedMount) =>
  new Map([
    ['/a', first],
    ['/w/a', second],
  ])
const onAir = onBoth(source('/w/a', 3), source('/a'))

describe('plan', () => {
  test('feeds what is wanted, and leaves alone what is well', () => {
    const wanted = byMount(channel('/a'))
    const another = byMount(channel('/b'))
    expect(plan({ ...calm, wanted: another }).steps).toEqual([{ kind: 'feed', channel: channel('/b') }])
    expect(plan({ ...calm, wanted, fed: new Map([['/a', mp3(128)]]), observed: onAir }).steps).toEqual([])
  })

  test('follows a change of bitrate', () => {
    const situation = { ...calm, wanted: byMount(channel('/a', 192)), fed: new Map([['/a', mp3(128)]]), observed: onAir }
    expect(plan(situation).steps).toContainEqual({ kind: 'feed', channel: channel('/a', 192) })
  })

  test('another format ends all who send the old one, before anything else is fed', () => {
    const opus = channel('/a', 128, 'opus')
    const steps = [
      { kind: 'reformat', mount: '/a' },
      { kind: 'feed', channel: opus },
    ]
    const situation = { ...calm, wanted: byMount(opus), fed: new Map([['/a', mp3(128)]]), observed: onAir }
    expect(plan(situation).steps).toEqual(steps)
    // An engine that came back in the old format, before its agent heard of the new one.
    const later = { ...situation, fed: new Map([['/a', opus]]), observed: new Map([['/a', source('/w/a')]]) }
    expect(plan(later).steps).toEqual(steps)
    expect(plan({ ...later, observed: new Map([['/a', { ...source('/w/a'), format: 'opus' }]]) }).steps).not.toContainEqual(
      steps[0],
    )
  })

  test('retires what is no longer wanted, at once', () => {
    expect(plan({ ...calm, fed: new Map([['/a', mp3(128)]]), observed: onAir }).steps).toEqual([{ kind: 'retire', mount: '/a' }])
  })

  test('a rename sets up the new mount and retires the old one', () => {
    const situation = { ...calm, wanted: byMount(channel('/b')), fed: new Map([['/a', mp3(128)]]), observed: onAir }
    expect(plan(situation).steps).toEqual([
      { kind: 'retire', mount: '/a' },
      { kind: 'feed', channel: channel('/b') },
    ])
  })

  test('takes nothing away while it may not know everything', () => {
    const situation = { ...calm, isComplete: false, fed: new Map([['/a', mp3(128)]]), observed: new Map([['/x', source()]]) }
    expect(plan(situation)).toEqual({ steps: [], strangers: new Set() })
  })

  test('ends a source that nobody wants only when it is still there at the next pass', () => {
    const situation = { ...calm, observed: new Map([['/x', source()]]) }
    const first = plan(situation)
    expect(first).toEqual({ steps: [], strangers: new Set(['/x']) })
    expect(plan({ ...situation, strangers: first.strangers }).steps).toEqual([{ kind: 'retire', mount: '/x' }])
  })

  test('tries again where a mount that it feeds has no source', () => {
    const situation = { ...calm, wanted: byMount(channel('/a')), fed: new Map([['/a', mp3(128)]]) }
    expect(plan(situation).steps).toEqual([
      { kind: 'nudge', mount: '/w/a' },
      { kind: 'nudge', mount: '/a' },
    ])
    expect(plan({ ...situation, observed: null }).steps).toEqual([])
  })

  test('brings listeners back who wait although there is a source, and sets a fallback that was lost', () => {
    const situation = { ...calm, wanted: byMount(channel('/a')), fed: new Map([['/a', mp3(128)]]) }
    for (const [first, second] of [
      [source('/w/a'), source('/a', 2)],
      [source(null), source('/a')],
      [source('/w/a'), source(null)],
    ] as const)
      expect(plan({ ...situation, observed: onBoth(first, second) }).steps).toEqual([{ kind: 'settle', mount: '/a' }])
  })

  test('leaves listeners where they wait while there is only silence', () => {
    const observed = onBoth(source('/w/a'), source('/a', 2))
    const situation = { ...calm, wanted: byMount(channel('/a')), fed: new Map([['/a', mp3(128)]]), observed }
    expect(plan({ ...situation, engines: new Set() }).steps).toEqual([])
  })

  test('two engines are left alone, but it is looked who they are; listeners are sent to the one that shall have them', () => {
    const observed = onBoth(source('/w/a', 3), source('/a', 1))
    const engines = new Set(['/a', '/w/a'])
    const situation = { ...calm, wanted: byMount(channel('/a')), fed: new Map([['/a', mp3(128)]]), observed, engines }
    expect(plan(situation).steps).toEqual([{ kind: 'tidy', mount: '/a', listeners: 1 }])
    expect(plan({ ...situation, activeOf: () => '/w/a' }).steps).toEqual([{ kind: 'settle', mount: '/a' }])
    const second = { ...channel('/a'), primary: { mount: '/w/a', epoch: 2 } }
    expect(plan({ ...situation, wanted: byMount(second) }).steps).toEqual([{ kind: 'settle', mount: '/a' }])
    expect(plan({ ...situation, wanted: byMount(second), activeOf: () => '/w/a' }).steps).toEqual([
      { kind: 'tidy', mount: '/a', listeners: 3 },
    ])
  })

  describe('the silence beside a channel', () => {
    const wanted = byMount(channel('/a'))
    const fed = new Map([['/a', mp3(128)]])
    const at = (guard: Guard | undefined, listeners: number, waiting?: number) =>
      plan({
        ...calm,
        wanted,
        fed,
        observed: new Map([
          ['/a', source('/w/a', listeners)],
          ...(waiting === undefined ? [] : [['/w/a', source('/a', waiting)] as const]),
        ]),
        engines: new Set(),
        guards: new Map(guard ? [['/a', guard]] : []),
      }).steps

    test('is there for a channel with listeners of the process before, and for no other', () => {
      expect(at(undefined, 1)).toEqual([{ kind: 'raise', mount: '/a' }])
      expect(at(undefined, 0)).toEqual([{ kind: 'lower', mount: '/a' }])
      expect(plan({ ...calm, wanted, guards: new Map() }).steps).toEqual([
        { kind: 'feed', channel: channel('/a') },
        { kind: 'lower', mount: '/a' },
      ])
    })

    test('is missed only where there is to be one', () => {
      expect(at('lowered', 1)).toEqual([])
      expect(at('raised', 1)).toEqual([{ kind: 'nudge', mount: '/w/a' }])
    })

    test('goes when nobody is left; where a few are, they are counted again without our monitors', () => {
      expect(at('raised', 0, 0)).toEqual([])
      expect(at('doubtful', 0, 0)).toEqual([{ kind: 'lower', mount: '/a' }])
      expect(at('doubtful', 1, 1)).toEqual([{ kind: 'recount', mount: '/a', listeners: 2 }])
      expect(at('doubtful', 4, 3)).toEqual([{ kind: 'raise', mount: '/a' }])
    })

    test('follows a change of bitrate', () => {
      const changed = byMount(channel('/a', 192))
      expect(plan({ ...calm, wanted: changed, fed, observed: null }).steps).toEqual([
        { kind: 'feed', channel: channel('/a', 192) },
        { kind: 'raise', mount: '/a' },
      ])
    })
  })

  test('converges: when its steps are done, nothing is left to do', () => {
    const mounts = fc.constantFrom('/a', '/b', '/c', '/w/a', '/w/b', '/w/c', '/x/y')
    const format = fc.constantFrom('mp3' as const, 'opus' as const)
    const observedMount = fc.record({
      listeners: fc.nat(3),
      fallback: fc.constantFrom(null, '/a', '/w/a', '/w/b', '/w/c'),
      format,
    })
    const sound = fc.record({ format, bitrateKbps: fc.constantFrom(128, 192) })
    const channelMount = fc.constantFrom('/a', '/b', '/c')
    const situations = fc.record({
      wanted: fc.uniqueArray(fc.record({ mount: channelMount, sound, isTurned: fc.boolean() }), {
        selector: (c) => c.mount,
      }),
      isComplete: fc.constant(true),
      fed: fc.array(fc.tuple(channelMount, sound)).map((entries) => new Map(entries)),
      observed: fc.array(fc.tuple(mounts, observedMount)).map((entries) => new Map(entries)),
      strangers: fc.constant(new Set<string>()),
      engines: fc.array(mounts).map((each) => new Set(each)),
      turned: fc.array(channelMount).map((each) => new Set(each)),
      guards: fc
        .array(fc.tuple(channelMount, fc.constantFrom('raised' as const, 'doubtful' as const, 'lowered' as const)))
        .map((entries) => new Map(entries)),
    })
    fc.assert(
      fc.property(situations, ({ wanted, turned, ...rest }) => {
        let situation: Situation = {
          ...rest,
          // What an engine feeds is shown.
          engines: new Set([...rest.engines].filter((mount) => rest.observed.has(mount))),
          activeOf: (mount) => mountsOf(mount)[(turned as Set<string>).has(mount) ? 1 : 0],
          wanted: byMount(
            ...wanted.map(({ mount, sound: { bitrateKbps, format }, isTurned }) => {
              const primary = { mount: mountsOf(mount)[isTurned ? 1 : 0], epoch: 1 }
              return { ...channel(mount, bitrateKbps, format), primary }
            }),
          ),
        }
        // One pass to meet strangers, one to end them and to feed, two to guard and to settle what is fed then.
        for (let pass = 0; pass < 4; pass++) situation = act(situation)
        expect(plan(situation).steps.filter(({ kind }) => kind !== 'tidy')).toEqual([])
        for (const mount of situation.wanted.keys()) expect(situation.observed!.has(situation.activeOf(mount))).toBe(true)
      }),
    )
  })
})

/** What a machine that does as it is told looks like after a pass. */
function act(situation: Situation): Situation {
  const { steps, strangers } = plan(situation)
  const fed = new Map(situation.fed)
  const observed = new Map(situation.observed)
  const guards = new Map(situation.guards)
  const engines = new Set(situation.engines)
  const turns = new Map<string, string>()
  const { activeOf: before } = situation
  const activeOf = (mount: string) => turns.get(mount) ?? before(mount)
  const otherOf = (mount: string) => otherMount(activeOf(mount))
  const formatOf = (mount: string) => situation.wanted.get(readMount(mount)!.channelMount)?.format ?? 'mp3'
  const start = (mount: string) => observed.set(mount, observed.get(mount) ?? { ...source(null), format: formatOf(mount) })
  const end = (mount: string) => {
    fed.delete(mount)
    guards.delete(mount)
    for (const each of mountsOf(mount)) {
      observed.delete(each)
      engines.delete(each)
    }
  }
  const one: { [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => void } = {
    retire: ({ mount }) => end(mount),
    reformat: ({ mount }) => end(mount),
    feed({ channel }) {
      fed.set(channel.mount, channel)
      start(activeOf(channel.mount))
    },
    raise({ mount }) {
      guards.set(mount, 'raised')
      start(otherOf(mount))
    },
    lower({ mount }) {
      guards.set(mount, 'lowered')
      if (!engines.has(otherOf(mount))) observed.delete(otherOf(mount))
    },
    recount: ({ mount }) => void guards.set(mount, 'raised'),
    nudge: ({ mount }) => void start(mount),
    settle({ mount }) {
      turns.set(mount, activeMount({ now: activeOf(mount), primary: situation.wanted.get(mount)!.primary.mount }, engines))
      for (const each of mountsOf(mount))
        if (observed.has(each)) observed.set(each, { ...source(otherMount(each)), format: formatOf(mount) })
    },
    screen() {},
    tidy() {},
  }
  for (const step of steps) one[step.kind](step as never)
  return { ...situation, fed, observed, strangers, guards, engines, activeOf }
}

import { otherMount, readMount } from './domain/mounts.ts'
import type { ObservedMount } from './domain/plan.ts'

/** A source that was let in runs some 80 ms later. One that does not by now has left again. */
const MOST_EXPECTED_MS = 2000

/**
 * Which mounts engines feed, as far as this process knows: Icecast tells of each start and end (up to 150 ms later), whom it let in this role knows
 * itself, and each pass looks.
 */
export interface Roster {
  readonly engines: ReadonlySet<string>
  /** Without those that send nothing while another replica of the channel does. */
  readonly playing: ReadonlySet<string>
  /** An engine's connection stays, but nothing comes of it; or it does again. Returns whether that is news. */
  stall(mount: string, isStalled: boolean): boolean
  /** Somebody was let in to the mount, and will run in a moment. */
  expect(mount: string, who: 'engine' | 'silence'): void
  isExpected(mount: string): boolean
  /** The mount has a source now: the one that was let in last. */
  runs(mount: string): void
  /** The mount's source is gone. Does nothing where another engine was let in meanwhile: it is about the one before. */
  ended(mount: string): void
  /** The mount was freed for somebody else. */
  cleared(mount: string): void
  /** Begins a look; what is told afterwards is newer than what the look shows. */
  look(): (observed: ReadonlyMap<string, ObservedMount>, isOurs: (mount: string) => boolean) => void
  /** Whether there was ever a look. Before that, an engine that is not here may only be unknown. */
  readonly isKnown: boolean
}

export function roster(now: () => number): Roster {
  const engines = new Set<string>()
  const stalled = new Set<string>()
  const letIn = new Map<string, 'engine' | 'silence'>()
  const expected = new Map<string, { readonly who: 'engine' | 'silence'; readonly until: number }>()
  /** By mount, when something was told of it, counted in things that were told. */
  const toldAt = new Map<string, number>()
  let told = 0
  let isKnown = false
  const note = (mount: string) => void toldAt.set(mount, (told += 1))
  const expectedAt = (mount: string) => {
    const found = expected.get(mount)
    return found && found.until > now() ? found : undefined
  }

  return {
    engines,
    get playing() {
      if (stalled.size === 0) return engines
      return new Set([...engines].filter((mount) => !stalled.has(mount) || !engines.has(otherMount(mount))))
    },
    stall(mount, isStalled) {
      if (stalled.has(mount) === isStalled) return false
      if (isStalled) stalled.add(mount)
      else stalled.delete(mount)
      return true
    },
    get isKnown() {
      return isKnown
    },
    expect(mount, who) {
      // Our own silence tries now and then, and Icecast turns it away where somebody is.
      if (who === 'silence' && expectedAt(mount)?.who === 'engine') return
      letIn.set(mount, who)
      expected.set(mount, { who, until: now() + MOST_EXPECTED_MS })
      note(mount)
    },
    isExpected: (mount) => expectedAt(mount) !== undefined,
    runs(mount) {
      expected.delete(mount)
      if (letIn.get(mount) === 'engine') engines.add(mount)
      note(mount)
    },
    ended(mount) {
      if (expectedAt(mount)?.who === 'engine') return
      engines.delete(mount)
      note(mount)
    },
    cleared(mount) {
      expected.delete(mount)
      engines.delete(mount)
      note(mount)
    },
    look() {
      const since = told
      return (observed, isOurs) => {
        isKnown = true
        for (const mount of new Set([...engines, ...toldAt.keys(), ...observed.keys()])) {
          if ((toldAt.get(mount) ?? 0) > since || expectedAt(mount) || !readMount(mount)) continue
          if (observed.has(mount) && !isOurs(mount)) engines.add(mount)
          else engines.delete(mount)
          if (!observed.has(mount)) for (const known of [toldAt, letIn, expected]) known.delete(mount)
        }
      }
    },
  }
}

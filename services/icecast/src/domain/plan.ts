import type { AirFormat } from '@skipcast/audio'
import { readMount, waitingMount } from './mounts.ts'

/** A channel that shall be on air, whether or not an engine feeds it now. */
export interface WantedChannel extends Sound {
  readonly channelId: string
  readonly mount: string
}

/** What a channel is sent as, and so its silence. */
export interface Sound {
  readonly format: AirFormat
  readonly bitrateKbps: number
}

export interface ObservedMount {
  readonly listeners: number
  /** Where its listeners go when it ends. */
  readonly fallback: string | null
  /** What its source says it sends. */
  readonly format: AirFormat
}

/**
 * Whether a channel has a waiting mount, for its listeners to fall to:
 * - `raised`: it has, because somebody hears the channel
 * - `doubtful`: it has, but nobody came for a while, so everybody may have left
 * - `lowered`: it has none, because nobody hears the channel; who comes raises it
 */
export type Guard = 'raised' | 'doubtful' | 'lowered'

export interface Situation {
  /** By mount. */
  readonly wanted: ReadonlyMap<string, WantedChannel>
  /** Whether `wanted` is all there is. If not, what is missing may merely not be known yet: nothing is taken away. */
  readonly isComplete: boolean
  /** With what the role keeps each channel's mounts fed. */
  readonly fed: ReadonlyMap<string, Sound>
  /** The channels whose own mount the role feeds now, because nobody else does. */
  readonly fillers: ReadonlySet<string>
  /** What Icecast shows; null when it did not answer. */
  readonly observed: ReadonlyMap<string, ObservedMount> | null
  /** Mounts without a wanted channel at the pass before. */
  readonly strangers: ReadonlySet<string>
  /** By channel's mount; none: this process has not decided yet. */
  readonly guards: ReadonlyMap<string, Guard>
}

export type Step =
  /** Stop feeding the channel and end whoever feeds it: its listeners are let go. */
  | { readonly kind: 'retire'; readonly mount: string }
  /** Listeners hear another format than the channel has: end whoever sends it, and let them go, as a player takes no other on one connection. */
  | { readonly kind: 'reformat'; readonly mount: string }
  | { readonly kind: 'feed'; readonly channel: WantedChannel }
  /** A mount that is to be fed has no source: try now. */
  | { readonly kind: 'nudge'; readonly mount: string }
  /** Somebody hears the channel, or may: feed its waiting mount, with the channel's silence. */
  | { readonly kind: 'raise'; readonly mount: string }
  /** Nobody is found who hears it: stop that, unless somebody came just now, or is on the way. */
  | { readonly kind: 'lower'; readonly mount: string }
  /** Ask whether the few who are left are more than our own monitors. */
  | { readonly kind: 'recount'; readonly mount: string; readonly listeners: number }
  /** Listeners wait although there is a programme, or would be dropped at its end. */
  | { readonly kind: 'settle'; readonly mount: string }

/** One for each server that runs the channel: two for a moment, while it moves. */
const MOST_MONITORS = 2

/**
 * Decides what must change, and which mounts are strangers now. A stranger is ended when the next pass finds it again:
 * an engine may learn of its channel's start sooner than this role.
 */
export function plan(situation: Situation): { steps: Step[]; strangers: Set<string> } {
  const { wanted, fed, fillers, isComplete, observed } = situation
  const steps: Step[] = []
  const strangers = new Set<string>()

  if (isComplete) {
    for (const mount of fed.keys()) if (!wanted.has(mount)) steps.push({ kind: 'retire', mount })
    for (const path of observed?.keys() ?? []) {
      const mount = channelOf(path)
      if (mount === null || wanted.has(mount) || fed.has(mount) || strangers.has(mount)) continue
      strangers.add(mount)
      if (situation.strangers.has(mount)) steps.push({ kind: 'retire', mount })
    }
  }
  for (const channel of wanted.values()) {
    const { mount } = channel
    const guard = situation.guards.get(mount)
    const before = fed.get(mount)
    if (
      [before, observed?.get(mount), observed?.get(waitingMount(mount))].some((sound) => sound && sound.format !== channel.format)
    ) {
      steps.push({ kind: 'reformat', mount }, { kind: 'feed', channel })
      continue
    }
    const isChanged = before?.bitrateKbps !== channel.bitrateKbps
    if (isChanged) steps.push({ kind: 'feed', channel })
    if (isChanged && hasWaitingMount(guard)) steps.push({ kind: 'raise', mount })
    if (!observed) continue
    steps.push(...guarding(mount, observed, guard))
    if (fed.has(mount)) steps.push(...repairs(mount, observed, { guard, isFiller: fillers.has(mount) }))
  }
  return { steps, strangers }
}

function hasWaitingMount(guard: Guard | undefined): boolean {
  return guard === 'raised' || guard === 'doubtful'
}

function guarding(mount: string, observed: ReadonlyMap<string, ObservedMount>, guard: Guard | undefined): Step[] {
  const listeners = [mount, waitingMount(mount)].reduce((sum, path) => sum + (observed.get(path)?.listeners ?? 0), 0)
  switch (guard) {
    case undefined:
      return [{ kind: listeners > 0 ? 'raise' : 'lower', mount }]
    case 'doubtful':
      if (listeners === 0) return [{ kind: 'lower', mount }]
      return [listeners > MOST_MONITORS ? { kind: 'raise', mount } : { kind: 'recount', mount, listeners }]
    case 'raised':
    case 'lowered':
      return []
    default:
      return guard satisfies never
  }
}

function repairs(
  mount: string,
  observed: ReadonlyMap<string, ObservedMount>,
  { guard, isFiller }: { guard: Guard | undefined; isFiller: boolean },
): Step[] {
  const waiting = waitingMount(mount)
  const [source, rest] = [observed.get(mount), observed.get(waiting)]
  const steps: Step[] = []
  if (!rest && hasWaitingMount(guard)) steps.push({ kind: 'nudge', mount: waiting })
  if (!source) steps.push({ kind: 'nudge', mount })
  else if (source.fallback !== waiting || (rest && rest.listeners > 0 && !isFiller)) steps.push({ kind: 'settle', mount })
  return steps
}

function channelOf(path: string): string | null {
  const mount = readMount(path)
  if (!mount) return null
  return mount.kind === 'waiting' ? mount.channelMount : mount.mount
}

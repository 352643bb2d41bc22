import type { AirFormat } from '@skipcast/audio'
import { activeMount, type Replicas } from './active-mount.ts'
import { mountsOf, otherMount, readMount } from './mounts.ts'

/** A channel that shall be on air, whether or not an engine feeds it now. */
export interface WantedChannel extends Sound, Replicas {
  readonly channelId: string
  /** The channel's own, by which people ask for it. */
  readonly mount: string
  /** Whether it is heard with a link alone. */
  readonly isSigned: boolean
  /** Of the command that says all this. */
  readonly generation: number
  /** So many may hear it at once; null: no limit. */
  readonly maxListeners: number | null
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
 * Whether a channel has silence beside its active mount, for its listeners to fall to where no engine plays:
 * - `raised`: it has, because somebody hears the channel
 * - `doubtful`: it has, but nobody came for a while, so everybody may have left
 * - `lowered`: it has none, because nobody hears the channel; who comes raises it
 */
export type Guard = 'raised' | 'doubtful' | 'lowered'

/** Channels are named by their own mounts. */
export interface Situation {
  readonly wanted: ReadonlyMap<string, WantedChannel>
  /** Whether `wanted` is all there is. If not, what is missing may merely not be known yet: nothing is taken away. */
  readonly isComplete: boolean
  /** With what the role keeps each channel's mounts fed. */
  readonly fed: ReadonlyMap<string, Sound>
  /** The mounts that engines feed. */
  readonly engines: ReadonlySet<string>
  /** The mount to which newcomers of a channel are sent. */
  readonly activeOf: (channelMount: string) => string
  /** What Icecast shows; null when it did not answer. */
  readonly observed: ReadonlyMap<string, ObservedMount> | null
  /** Channels without a command that had a mount at the pass before. */
  readonly strangers: ReadonlySet<string>
  /** None: this process has not decided yet. */
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
  /** It is heard with a link alone: it is looked, now and then, whether somebody without one hears it. */
  | { readonly kind: 'screen'; readonly channel: WantedChannel }
  /** Somebody hears the channel, or may: feed silence beside it. */
  | { readonly kind: 'raise'; readonly mount: string }
  /** Nobody is found who hears it: stop that, unless somebody came just now, or is on the way. */
  | { readonly kind: 'lower'; readonly mount: string }
  /** Ask whether the few who are left are more than our own monitors. */
  | { readonly kind: 'recount'; readonly mount: string; readonly listeners: number }
  /** Listeners are not where the programme is, or would be dropped at its end. */
  | { readonly kind: 'settle'; readonly mount: string }
  /** Both mounts have engines: look whether the second one is to be there, and who hears it. */
  | { readonly kind: 'tidy'; readonly mount: string; readonly listeners: number }

/** Two for each server that runs the channel, of which there are three for a moment, when one of two replicas moves. */
const MOST_MONITORS = 6

/**
 * Decides what must change, and which channels are strangers now. A stranger is ended when the next pass finds it again:
 * an engine may learn of its channel's start sooner than this role.
 */
export function plan(situation: Situation): { steps: Step[]; strangers: Set<string> } {
  const { wanted, fed, isComplete, observed } = situation
  const steps: Step[] = []
  const strangers = new Set<string>()

  if (isComplete) {
    for (const mount of fed.keys()) if (!wanted.has(mount)) steps.push({ kind: 'retire', mount })
    for (const path of observed?.keys() ?? []) {
      const mount = readMount(path)?.channelMount
      if (mount === undefined || wanted.has(mount) || fed.has(mount) || strangers.has(mount)) continue
      strangers.add(mount)
      if (situation.strangers.has(mount)) steps.push({ kind: 'retire', mount })
    }
  }
  for (const channel of wanted.values()) {
    const { mount } = channel
    const guard = situation.guards.get(mount)
    const before = fed.get(mount)
    const sounds = [before, ...mountsOf(mount).map((each) => observed?.get(each))]
    if (sounds.some((sound) => sound && sound.format !== channel.format)) {
      steps.push({ kind: 'reformat', mount }, { kind: 'feed', channel })
      continue
    }
    const isChanged = before?.bitrateKbps !== channel.bitrateKbps
    if (isChanged) steps.push({ kind: 'feed', channel })
    if (isChanged && isGuarded(guard)) steps.push({ kind: 'raise', mount })
    if (!observed) continue
    if (channel.isSigned) steps.push({ kind: 'screen', channel })
    steps.push(...guarding(mount, observed, guard))
    if (before) steps.push(...repairs(channel, observed, situation))
  }
  return { steps, strangers }
}

function isGuarded(guard: Guard | undefined): boolean {
  return guard === 'raised' || guard === 'doubtful'
}

function guarding(mount: string, observed: ReadonlyMap<string, ObservedMount>, guard: Guard | undefined): Step[] {
  const listeners = mountsOf(mount).reduce((sum, path) => sum + (observed.get(path)?.listeners ?? 0), 0)
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
  { mount, primary }: WantedChannel,
  observed: ReadonlyMap<string, ObservedMount>,
  { guards, engines, activeOf }: Situation,
): Step[] {
  const active = activeOf(mount)
  const other = otherMount(active)
  const [here, beside] = [observed.get(active), observed.get(other)]
  const steps: Step[] = []
  if (!beside && isGuarded(guards.get(mount))) steps.push({ kind: 'nudge', mount: other })
  if (!here) steps.push({ kind: 'nudge', mount: active })
  const isLost = (here && here.fallback !== other) || (beside && beside.fallback !== active)
  const isMissed = beside !== undefined && beside.listeners > 0 && engines.has(active) && !engines.has(other)
  if (isLost || isMissed || activeMount({ now: active, primary: primary.mount }, engines) !== active)
    steps.push({ kind: 'settle', mount })
  else if (engines.has(active) && engines.has(other)) steps.push({ kind: 'tidy', mount, listeners: beside?.listeners ?? 0 })
  return steps
}

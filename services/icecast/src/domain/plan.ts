import { readMount, waitingMount } from './mounts.ts'

/** A channel that shall be on air, whether or not an engine feeds it now. */
export interface WantedChannel {
  readonly channelId: string
  readonly mount: string
  readonly bitrateKbps: number
}

export interface ObservedMount {
  readonly listeners: number
  /** Where its listeners go when it ends. */
  readonly fallback: string | null
}

export interface Situation {
  /** By mount. */
  readonly wanted: ReadonlyMap<string, WantedChannel>
  /** Whether `wanted` is all there is. If not, what is missing may merely not be known yet: nothing is taken away. */
  readonly isComplete: boolean
  /** The bitrate in kbit/s with which the role keeps each channel's mounts fed. */
  readonly fed: ReadonlyMap<string, number>
  /** The channels whose own mount the role feeds now, because nobody else does. */
  readonly fillers: ReadonlySet<string>
  /** What Icecast shows; null when it did not answer. */
  readonly observed: ReadonlyMap<string, ObservedMount> | null
  /** Mounts without a wanted channel at the pass before. */
  readonly strangers: ReadonlySet<string>
}

export type Step =
  /** Stop feeding the channel and end whoever feeds it: its listeners are let go. */
  | { readonly kind: 'retire'; readonly mount: string }
  | { readonly kind: 'feed'; readonly channel: WantedChannel }
  /** A mount that is to be fed has no source: try now. */
  | { readonly kind: 'nudge'; readonly mount: string }
  /** Listeners wait although there is a programme, or would be dropped at its end. */
  | { readonly kind: 'settle'; readonly mount: string }

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
  for (const channel of wanted.values()) if (fed.get(channel.mount) !== channel.bitrateKbps) steps.push({ kind: 'feed', channel })

  if (observed)
    for (const { mount } of wanted.values()) if (fed.has(mount)) steps.push(...repairs(mount, observed, fillers.has(mount)))
  return { steps, strangers }
}

function repairs(mount: string, observed: ReadonlyMap<string, ObservedMount>, isFiller: boolean): Step[] {
  const waiting = waitingMount(mount)
  const [source, rest] = [observed.get(mount), observed.get(waiting)]
  const steps: Step[] = []
  if (!rest) steps.push({ kind: 'nudge', mount: waiting })
  if (!source) steps.push({ kind: 'nudge', mount })
  else if (source.fallback !== waiting || (rest && rest.listeners > 0 && !isFiller)) steps.push({ kind: 'settle', mount })
  return steps
}

function channelOf(path: string): string | null {
  const mount = readMount(path)
  if (!mount) return null
  return mount.kind === 'waiting' ? mount.channelMount : mount.mount
}

import type { Listener } from '../listener.ts'
import { holes } from './contradiction.ts'

/** Twice the usual time between two blocks of sound. */
const INTERRUPTION_MS = 210

/** What a listener has lived through so far. */
export interface Snapshot {
  readonly closures: number
  readonly cuts: number
  readonly silentFrames: number
}

export function snapshot({ closures, heard }: Listener): Snapshot {
  return { closures: closures.length, cuts: heard.resyncs, silentFrames: heard.silentFrames }
}

/** A lost connection, a cut in the audio, or filler. */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const names = ['closures', 'cuts', 'silentFrames'] as const
  return names.flatMap((name) => (after[name] === before[name] ? [] : [`${after[name] - before[name]} ${name}`]))
}

/** How long after the fault, or its mending, the longest hole ended; nothing where the programme was not interrupted. */
export function programmeBack(
  sounds: readonly number[],
  { at, mendedAt, to }: { at: number; mendedAt: number; to: number },
): number[] {
  const [longest] = holes(sounds, at, to, INTERRUPTION_MS).sort((a, b) => b.to - b.from - (a.to - a.from))
  return longest ? [Math.max(0, longest.to - mendedAt)] : []
}

import { carousel } from './carousel.ts'
import { master } from './mastering.ts'
import type { Mix } from './mix.ts'
import { nightShift } from './night-shift.ts'
import { paperBoats } from './paper-boats.ts'
import { seededRandom, type Random } from './random.ts'
import { slowHarbour } from './slow-harbour.ts'

export interface Composition {
  readonly title: string
  readonly fileName: string
  readonly seed: number
  readonly fadeInSeconds: number
  readonly fadeOutSeconds: number
  compose(random: Random): Mix
}

/** In the order in which they are heard. */
export const compositions: readonly Composition[] = [
  { title: 'Paper Boats', fileName: 'paper-boats.flac', seed: 2, fadeInSeconds: 0.02, fadeOutSeconds: 2, compose: paperBoats },
  { title: 'Night Shift', fileName: 'night-shift.flac', seed: 3, fadeInSeconds: 0.02, fadeOutSeconds: 2, compose: nightShift },
  { title: 'Slow Harbour', fileName: 'slow-harbour.flac', seed: 1, fadeInSeconds: 1, fadeOutSeconds: 5, compose: slowHarbour },
  { title: 'Carousel', fileName: 'carousel.flac', seed: 4, fadeInSeconds: 0.02, fadeOutSeconds: 2, compose: carousel },
]

/** The finished recording: 44.1 kHz, stereo, 16 bits, interleaved. The same every time. */
export function render(composition: Composition): Int16Array {
  const random = seededRandom(composition.seed)
  return master(composition.compose(random), { ...composition, random })
}

import { addRoom } from './effects.ts'
import { emptyMix, place, type Mix } from './mix.ts'
import { chord, melody, type MelodyNote } from './notes.ts'
import type { Random } from './random.ts'
import { bell, pluck } from './ringing.ts'
import { pad } from './sustained.ts'

const BEAT = 60 / 148
const INTRO_BARS = 4
/** Three beats a bar. F major; the sigh is in bar 12. */
const TUNE_A = melody(`
  a5:2 c6:1 | f6:2 d6:1 | bb5:2 d6:1 | g5:3 | bb5:2 d6:1 | e6:2 c6:1 | a5:1 c6:1 f6:1 | c6:3 |
  a5:2 c6:1 | eb6:2 d6:1 | d6:2 bb5:1 | db6:2 bb5:1 | c6:1 a5:1 f5:1 | g5:2 e5:1 | f5:3 | -:3
`)
const CHORDS_A = `f2 a3 c4 f4 | d2 a3 d4 f4 | g2 bb3 d4 g4 | c2 bb3 c4 e4 | c2 bb3 c4 e4 | c2 g3 bb3 e4 | f2 a3 c4 f4 | f2 a3 c4 f4 |
  f2 a3 c4 f4 | f2 a3 c4 eb4 | bb2 bb3 d4 f4 | bb2 bb3 db4 f4 | c2 a3 c4 f4 | c2 bb3 c4 e4 | f2 a3 c4 f4 | c2 g3 bb3 e4`
/** D minor, on the move. */
const TUNE_B = melody(`
  d6:1 a5:.5 bb5:.5 a5:1 | c#6:1 a5:.5 bb5:.5 a5:1 | d6:1 e6:1 f6:1 | a6:3 | g6:1 f6:.5 e6:.5 d6:1 | e6:1 d6:.5 c6:.5 bb5:1 | a5:1 c6:1 f6:1 | c6:3 |
  d6:2 f6:1 | c6:2 f6:1 | bb5:1 d6:1 g6:1 | a5:2 d6:1 | b5:1 d6:1 f6:1 | e6:3 | g6:1 e6:1 c6:1 | bb5:1 g5:1 e5:1
`)
const CHORDS_B = `d2 a3 d4 f4 | a2 a3 c#4 g4 | d2 a3 d4 f4 | d2 a3 d4 f4 | g2 bb3 d4 g4 | c2 bb3 c4 e4 | f2 a3 c4 f4 | f2 a3 c4 f4 |
  bb2 bb3 d4 f4 | a2 a3 c4 f4 | g2 bb3 d4 g4 | f2 a3 d4 f4 | g2 b3 d4 f4 | c2 g3 c4 e4 | c2 g3 bb3 e4 | c2 g3 bb3 e4`
const INTRO = 'f2 a3 c4 f4 | f2 a3 c4 f4 | c2 g3 bb3 e4 | c2 g3 bb3 e4'
const LAST_BEAT = (INTRO_BARS + 48) * 3

/** A waltz for a music box and a harp: A, B in minor, A again with runs, slower and slower at its end. */
export function carousel(random: Random): Mix {
  const mix = emptyMix(seconds(LAST_BEAT) + 5)
  accompany(mix, INTRO, 0, random)
  accompany(mix, CHORDS_A, INTRO_BARS, random)
  accompany(mix, CHORDS_B, INTRO_BARS + 16, random)
  accompany(mix, CHORDS_A, INTRO_BARS + 32, random)
  strings(mix, CHORDS_B, INTRO_BARS + 16, 0.2, random)
  strings(mix, CHORDS_A, INTRO_BARS + 32, 0.26, random)
  play(mix, TUNE_A, INTRO_BARS, random)
  play(mix, TUNE_B, INTRO_BARS + 16, random)
  play(mix, TUNE_A, INTRO_BARS + 32, random)
  runs(mix, CHORDS_A, INTRO_BARS + 32, random)
  chord('f2 c3 f3 a3 c4 f4 a4 c5 f5 a5 c6 f6').forEach((hz, i) => {
    const atSeconds = seconds(LAST_BEAT) + i * 0.075
    place(mix, pluck(hz, { velocity: 0.8, ringSeconds: 5, softness: 0.6, random }), {
      atSeconds,
      gain: 0.5,
      pan: i / 11 - 0.5,
      room: 0.5,
    })
  })
  place(mix, bell(chord('f6')[0]!, 0.8), { atSeconds: seconds(LAST_BEAT) + 1, gain: 0.3, room: 0.7 })
  addRoom(mix, { seconds: 2.6, size: 1, dullness: 0.25, gain: 0.24 })
  return mix
}

/** When a beat sounds: even, until the last four bars slow down. */
function seconds(beat: number): number {
  const over = Math.max(0, beat - (LAST_BEAT - 12))
  return (beat + over ** 2 * 0.03) * BEAT
}

function bars(chords: string): number[][] {
  return chords.split('|').map(chord)
}

/** Bass on one, harp on two and three. */
function accompany(mix: Mix, chords: string, firstBar: number, random: Random): void {
  bars(chords).forEach(([root, ...voices], index) => {
    const beat = (firstBar + index) * 3
    const low = pluck(root!, { velocity: 0.9, ringSeconds: 2.2, softness: 0.9, random })
    place(mix, low, { atSeconds: seconds(beat), gain: 1.05, pan: -0.1, room: 0.15 })
    for (const [offset, velocity] of [
      [1, 0.62],
      [2, 0.5],
    ] as const) {
      voices.forEach((hz, i) => {
        const sound = pluck(hz, { velocity: velocity * (0.9 + 0.2 * random()), ringSeconds: 1.1, softness: 0.7, random })
        place(mix, sound, { atSeconds: seconds(beat + offset) + i * 0.012, gain: 0.4, pan: -0.45 + 0.2 * i, room: 0.25 })
      })
    }
  })
}

function play(mix: Mix, tune: readonly MelodyNote[], firstBar: number, random: Random): void {
  for (const { hz, beat, beats } of tune) {
    const velocity = (beat % 3 === 0 ? 0.95 : 0.75) + 0.06 * random() + (beats > 1.5 ? 0.05 : 0)
    const atSeconds = seconds(firstBar * 3 + beat) + 0.008 * random()
    place(mix, bell(hz, velocity), { atSeconds, gain: 0.52, pan: 0.1, room: 0.5 })
    place(mix, bell(hz / 2, velocity * 0.7), { atSeconds, gain: 0.13, pan: 0.25, room: 0.4 })
  }
}

/** Small bells up and down the chord, in eighths, behind the tune. */
function runs(mix: Mix, chords: string, firstBar: number, random: Random): void {
  bars(chords)
    .slice(0, 14)
    .forEach(([, a, b, c], index) => {
      const figure = index % 2 === 0 ? [a!, b!, c!, a! * 2, c!, b!] : [a! * 2, c!, b!, a!, b!, c!]
      figure.forEach((hz, eighth) => {
        const atSeconds = seconds((firstBar + index) * 3 + eighth / 2) + 0.01 * random()
        place(mix, bell(hz * 4, 0.4 + 0.15 * random()), { atSeconds, gain: 0.1, pan: eighth % 2 === 0 ? -0.6 : 0.6, room: 0.6 })
      })
    })
}

function strings(mix: Mix, chords: string, firstBar: number, gain: number, random: Random): void {
  bars(chords).forEach(([, ...voices], index) => {
    const atSeconds = seconds((firstBar + index) * 3) - 0.15
    const shape = { seconds: 3 * BEAT + 0.7, attackSeconds: 0.4, releaseSeconds: 0.7, darkHz: 500, brightHz: 1500, random }
    const { left, right } = pad(voices, shape)
    place(mix, left, { atSeconds, gain, pan: -0.7, room: 0.3 })
    place(mix, right, { atSeconds, gain, pan: 0.7, room: 0.3 })
  })
}

import { addEchoes, addRoom } from './effects.ts'
import { drumKit } from './drums.ts'
import { emptyMix, place, type Mix } from './mix.ts'
import { chord, hertz, melody } from './notes.ts'
import type { Random } from './random.ts'
import { pluck } from './ringing.ts'
import { bass, pad } from './sustained.ts'

const BEAT = 60 / 110
const BARS = 32
/** C major, a chord a bar: bass note, then the strings that the arpeggio runs over. */
const CHORDS = ['f2 f3 c4 e4 a4 c5 e5', 'e2 g3 c4 e4 g4 c5 e5', 'a2 a3 c4 e4 g4 c5 e5', 'g2 g3 b3 d4 g4 b4 d5']
const TURN = ['f2 f3 c4 e4 a4 c5 e5', 'e2 g3 c4 e4 g4 c5 g5', 'd2 a3 c4 f4 a4 d5 f5', 'g2 g3 c4 d4 g4 c5 d5']
/** Sixteenths of a bar: which string. */
const FIGURES = [
  [0, 2, 4, 1, 3, 5, 2, 4, 1, 3, 5, 4, 2, 3, 1, 4],
  [0, 3, 1, 4, 2, 5, 3, 4, 0, 3, 1, 4, 2, 5, 4, 3],
]
/** Eight bars, played twice. */
const TUNE = melody(`
  e5:1.5 g5:1.5 a5:1 | g5:2.5 e5:.5 g5:1 | c6:1.5 b5:1.5 a5:1 | g5:3 -:1 |
  a5:1.5 c6:1.5 e6:1 | d6:1.5 c6:1 g5:1.5 | a5:1 f5:1 a5:1 c6:1 | d6:1.5 c6:1.5 b5:1
`)

/** Plucked strings in sixteenths over four chords, with echoes; then a bass, then a pad and a pulse, then a tune. */
export function paperBoats(random: Random): Mix {
  const mix = emptyMix(BARS * 4 * BEAT + 4.6)
  for (let bar = 0; bar < BARS; bar++) {
    const names = bar >= 8 && bar % 8 < 4 ? TURN[bar % 4]! : CHORDS[bar % 4]!
    const atSeconds = bar * 4 * BEAT
    const [root, ...strings] = chord(names)
    arpeggio(mix, strings, FIGURES[Math.floor(bar / 4) % 2]!, atSeconds, bar, random)
    if (bar >= 4 && bar < 31) bassLine(mix, root!, atSeconds)
    if (bar >= 8 && bar < 31) strum(mix, strings.slice(0, 4), atSeconds, random)
  }
  for (const start of [12, 20]) {
    for (const { hz, beat, beats } of TUNE) {
      const options = { velocity: 0.9, ringSeconds: Math.min(3.4, 1.5 + beats), softness: 0.25, random }
      place(mix, pluck(hz, options), { atSeconds: (start * 4 + beat) * BEAT, gain: 0.75, pan: 0.12, room: 0.55 })
      if (start === 20)
        place(mix, pluck(hz / 2, options), { atSeconds: (start * 4 + beat) * BEAT, gain: 0.35, pan: -0.3, room: 0.4 })
    }
  }
  pulse(mix, random)
  addLastChord(mix, random)
  addEchoes(mix, { seconds: BEAT * 0.75, feedback: 0.45, gain: 0.42 })
  addRoom(mix, { seconds: 2.2, size: 0.9, dullness: 0.3, gain: 0.2 })
  return mix
}

function arpeggio(
  mix: Mix,
  strings: readonly number[],
  figure: readonly number[],
  at: number,
  bar: number,
  random: Random,
): void {
  const fullness = Math.min(1, 0.75 + bar / 24)
  figure.forEach((string, sixteenth) => {
    const accent = sixteenth % 4 === 0 ? 1 : sixteenth % 2 === 0 ? 0.8 : 0.62
    const velocity = accent * fullness * (0.92 + 0.16 * random())
    const sound = pluck(strings[string]!, { velocity, ringSeconds: 1.6, softness: 0.5, random })
    const atSeconds = at + (sixteenth / 4) * BEAT + 0.006 * random()
    place(mix, sound, { atSeconds, gain: 0.5, pan: (string - 2.5) * 0.26, room: 0.3 })
  })
}

function bassLine(mix: Mix, hz: number, at: number): void {
  for (const [beat, beats, velocity] of [
    [0, 1.4, 0.75],
    [1.5, 1, 0.55],
    [2.5, 1.3, 0.65],
  ] as const) {
    place(mix, bass(hz, { velocity, seconds: beats * BEAT }), { atSeconds: at + beat * BEAT, gain: 0.42 })
  }
}

function strum(mix: Mix, voices: readonly number[], at: number, random: Random): void {
  const shape = { seconds: 4 * BEAT + 0.8, attackSeconds: 0.5, releaseSeconds: 0.9, darkHz: 420, brightHz: 1300, random }
  const { left, right } = pad(voices, shape)
  place(mix, left, { atSeconds: at - 0.1, gain: 0.22, pan: -0.8 })
  place(mix, right, { atSeconds: at - 0.1, gain: 0.22, pan: 0.8 })
}

/** A shaker in sixteenths from bar 8 on, a soft drum on the beat from bar 16 on. */
function pulse(mix: Mix, random: Random): void {
  const kit = drumKit(random)
  for (let step = 8 * 16; step < 31 * 16; step++) {
    const atSeconds = (step / 4) * BEAT
    const accent = step % 4 === 2 ? 1 : step % 2 === 0 ? 0.5 : 0.3
    place(mix, kit.shaker, { atSeconds, gain: accent * 0.22, pan: 0.35 })
    if (step >= 16 * 16 && step % 4 === 0) place(mix, kit.kick, { atSeconds, gain: 0.3 })
  }
}

function addLastChord(mix: Mix, random: Random): void {
  const at = BARS * 4 * BEAT
  chord('c3 g3 e4 g4 c5 e5 c6').forEach((hz, i) => {
    const sound = pluck(hz, { velocity: 0.9, ringSeconds: 5, softness: 0.5, random })
    place(mix, sound, { atSeconds: at + i * 0.045, gain: 0.5, pan: (i - 3) * 0.2, room: 0.4 })
  })
  place(mix, bass(hertz('c2'), { velocity: 0.7, seconds: 4 }), { atSeconds: at, gain: 0.45 })
}

import { addRoom } from './effects.ts'
import { drumKit, type DrumKit } from './drums.ts'
import { emptyMix, place, type Mix } from './mix.ts'
import { chord, hertz, melody } from './notes.ts'
import type { Random } from './random.ts'
import { vibraphone } from './ringing.ts'
import { bass, electricPiano } from './sustained.ts'

const BEAT = 60 / 90
const BARS = 26
/** Two bars of piano alone, after which the chords begin again. */
const BREAK = 16
/** How late every other sixteenth comes, as a part of a sixteenth. */
const SWING = 0.22
/** G major, a chord a bar: the bass's root and fifth, then the piano's voicing. */
const CHORDS = [
  ['a1 e2', 'g3 c4 e4 b4'],
  ['d2 a1', 'f#3 c4 e4 b4'],
  ['g1 d2', 'f#3 b3 d4 a4'],
  ['e2 b1', 'g3 b3 d4 f#4'],
  ['a1 e2', 'g3 c4 e4 b4'],
  ['d2 a1', 'f#3 c4 e4 a4'],
  ['g1 d2', 'f#3 a3 b3 d4'],
  ['e2 e1', 'g#3 d4 g4 b4'],
] as const
/** Sixteenths of a bar. */
const KICK = [0, 7, 10]
const SNARE = [4, 12]
const TUNE = melody(`
  -:1 e5:.5 g5:.5 a5:1 g5:.5 e5:.5 | f#5:1.5 e5:.5 -:.5 d5:.5 e5:1 | d5:2 -:.5 b4:.5 d5:.5 e5:.5 | g5:1.5 f#5:.5 e5:1 -:1 |
  -:.5 e5:.5 a5:.5 b5:.5 c6:1 b5:.5 a5:.5 | a5:1 f#5:.5 e5:1.5 -:1 | b5:1 a5:.5 g5:.5 f#5:.5 d5:1.5 | e5:.5 d5:.5 b4:1 g#4:1 -:1
`)

/** A late groove: a round bass, a small kit that swings, an electric piano with ninths, and a vibraphone that comes by. */
export function nightShift(random: Random): Mix {
  const mix = emptyMix(BARS * 4 * BEAT + 4.5)
  const kit = drumKit(random)
  for (let bar = 0; bar < BARS; bar++) {
    const isBreak = bar === BREAK || bar === BREAK + 1
    if (bar >= 1 && !isBreak) drums(mix, kit, bar, random)
    if (bar >= 2 && !isBreak) bassLine(mix, bar)
    piano(mix, bar, random)
  }
  for (const { hz, beat, beats } of TUNE) {
    const velocity = 0.65 + Math.min(0.3, beats * 0.15) + 0.08 * random()
    for (const start of [8, BREAK + 2]) {
      place(mix, vibraphone(hz, velocity), { atSeconds: swung(start * 4 + beat), gain: 0.5, pan: 0.25, room: 0.5 })
    }
  }
  ending(mix)
  addRoom(mix, { seconds: 1.3, size: 0.6, dullness: 0.45, gain: 0.16 })
  return mix
}

/** When a beat sounds, in seconds: every other sixteenth late. */
function swung(beat: number): number {
  const sixteenth = beat * 4
  const late = Math.round(sixteenth) % 2 === 1 ? SWING : 0
  return ((sixteenth + late) / 4) * BEAT
}

function chordOf(bar: number) {
  return CHORDS[(bar < BREAK + 2 ? bar : bar - BREAK - 2) % 8]!
}

function drums(mix: Mix, kit: DrumKit, bar: number, random: Random): void {
  const hit = (sound: Float32Array, sixteenth: number, gain: number, pan = 0, room = 0) =>
    place(mix, sound, { atSeconds: swung(bar * 4 + sixteenth / 4) + 0.004 * random(), gain, pan, room })
  const isFull = bar >= 3
  if (isFull) for (const step of bar % 4 === 3 ? [...KICK, 15] : KICK) hit(kit.kick, step, step === 0 ? 0.72 : 0.6)
  if (isFull) for (const step of SNARE) hit(bar < 8 ? kit.rim : kit.snare, step, bar < 8 ? 0.9 : 0.75, -0.05, 0.35)
  if (bar >= 8) for (const step of [9, 15]) hit(kit.snare, step, 0.07 + 0.05 * random(), -0.05, 0.2)
  for (let step = 0; step < 16; step++) {
    if (step % 2 === 1 && random() < 0.45) continue
    if (step === 14 && bar % 2 === 1) hit(kit.openHat, step, 0.3, 0.3)
    else hit(kit.hat, step, (step % 4 === 2 ? 0.5 : 0.3) * (0.85 + 0.3 * random()), 0.3)
  }
}

function bassLine(mix: Mix, bar: number): void {
  const [root, fifth] = chord(chordOf(bar)[0])
  const next = chord(chordOf(bar + 1)[0])[0]!
  const line = [
    [0, 1.5, root!, 0.95],
    [1.75, 0.4, root!, 0.6],
    [2.5, 0.7, fifth! < root! ? fifth! * 2 : fifth!, 0.8],
    [3.25, 0.3, root! * 2, 0.55],
    [3.5, 0.45, next * 2 ** (bar % 2 === 0 ? -1 / 12 : 2 / 12), 0.7],
  ] as const
  for (const [beat, beats, hz, velocity] of line) {
    place(mix, bass(deep(hz), { velocity, seconds: beats * BEAT }), { atSeconds: swung(bar * 4 + beat), gain: 0.52 })
  }
}

/** Into the octave that small speakers still let one guess. */
function deep(hz: number): number {
  return hz < 46 ? hz * 2 : hz > 130 ? hz / 2 : hz
}

function piano(mix: Mix, bar: number, random: Random): void {
  const stabs =
    bar % 2 === 0
      ? [
          [0, 1.9, 0.8],
          [2.25, 0.5, 0.6],
        ]
      : [
          [0, 1.2, 0.8],
          [1.5, 0.4, 0.5],
          [2.75, 1, 0.65],
        ]
  const voices = chord(chordOf(bar)[1])
  for (const [beat, beats, velocity] of stabs as [number, number, number][]) {
    voices.forEach((hz, i) => {
      const sound = electricPiano(hz, { velocity: velocity * (0.9 + 0.2 * random()), seconds: beats * BEAT })
      place(mix, sound, { atSeconds: swung(bar * 4 + beat) + i * 0.007, gain: 0.5, pan: (i - 1.5) * 0.35, room: 0.3 })
    })
  }
}

function ending(mix: Mix): void {
  const at = BARS * 4 * BEAT
  for (const [i, hz] of chord('c4 e4 g4 b4 d5').entries()) {
    const sound = electricPiano(hz, { velocity: 0.75, seconds: 4 })
    place(mix, sound, { atSeconds: at + i * 0.03, gain: 0.5, pan: (i - 2) * 0.3, room: 0.4 })
  }
  place(mix, bass(hertz('a1'), { velocity: 0.9, seconds: 3 }), { atSeconds: at, gain: 0.52 })
}

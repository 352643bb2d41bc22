import { addEchoes, addRoom } from './effects.ts'
import { emptyMix, place, SAMPLE_RATE, type Mix } from './mix.ts'
import { chord, hertz, melody } from './notes.ts'
import type { Random } from './random.ts'
import { glass } from './ringing.ts'
import { pad } from './sustained.ts'

const CHORD_SECONDS = 7.2
/** D major, one chord a breath; the first of each is the deep root. */
const CHORDS = [
  'd2 a3 c#4 e4 f#4',
  'g2 b3 d4 f#4 a4',
  'b2 a3 d4 e4 f#4',
  'a2 a3 b3 d4 e4',
  'd2 a3 d4 e4 f#4 a4',
  'f#2 a3 c#4 e4 g#4',
  'g2 b3 d4 f#4 a4',
  'e2 g3 b3 d4 f#4',
  'a2 g3 b3 c#4 f#4',
  'd2 a3 c#4 e4 f#4',
]
/** Glass over the water, in seconds from the second chord on. */
const CALLS = melody(`
  -:2 f#5:1.5 a5:1.5 e5:2.2 | -:1 d5:1.5 f#5:1.5 b5:3.2 | -:1.5 a5:1.5 e5:1.5 f#5:2.7 | -:2 d5:1.2 e5:1.2 a5:2.8 |
  -:1 c#6:1.8 b5:1.2 e5:3.2 | -:1 b5:1.5 a5:1.5 f#5:1.5 d5:1.7 | -:1.5 g5:1.2 f#5:1.2 d5:1.2 b4:2.1 | -:1 e5:1.8 f#5:1.8 a5:2.6 |
  -:1.5 d5:1.5 f#5:1.5 a5:1.5 d6:1.2
`)

/** Ambient: a choir of strings that changes its chord with every breath, glass bells far out, and the sea. */
export function slowHarbour(random: Random): Mix {
  const seconds = CHORDS.length * CHORD_SECONDS + 4
  const mix = emptyMix(seconds)
  CHORDS.forEach((names, index) => {
    const [root, ...voices] = chord(names)
    const atSeconds = index * CHORD_SECONDS - (index === 0 ? 1.2 : 0.8)
    const shape = { seconds: CHORD_SECONDS + 3.6, attackSeconds: 2.2, releaseSeconds: 3.4, random }
    ensemble(mix, pad(voices, { ...shape, darkHz: 500, brightHz: 2400 }), atSeconds, 0.5)
    ensemble(mix, pad([root!], { ...shape, darkHz: 160, brightHz: 340 }), atSeconds, 0.85)
    // An octave above the highest voice, hardly there: the light on the water.
    ensemble(mix, pad([voices.at(-1)! * 2], { ...shape, attackSeconds: 4, darkHz: 900, brightHz: 3200 }), atSeconds + 0.5, 0.13)
  })
  for (const { hz, beat } of CALLS) {
    const velocity = 0.7 + 0.3 * random()
    place(mix, glass(hz, velocity), { atSeconds: CHORD_SECONDS + beat, gain: 0.5, pan: random() - 0.5, room: 0.9 })
  }
  place(mix, glass(hertz('d4'), 0.8), { atSeconds: 0.1, gain: 0.5, room: 0.9 })
  addSea(mix, random)
  addEchoes(mix, { seconds: 0.9, feedback: 0.55, gain: 0.4 })
  addRoom(mix, { seconds: 5.5, size: 1.5, dullness: 0.35, gain: 0.32 })
  return mix
}

function ensemble(mix: Mix, voice: { left: Float32Array; right: Float32Array }, atSeconds: number, gain: number): void {
  place(mix, voice.left, { atSeconds, gain, pan: -0.75, room: 0.35 })
  place(mix, voice.right, { atSeconds, gain, pan: 0.75, room: 0.35 })
}

/** Waves: dull noise that swells every ten seconds or so, a little later at the right. */
function addSea(mix: Mix, random: Random): void {
  ;[mix.left, mix.right].forEach((channel, side) => {
    let [low, lower] = [0, 0]
    for (let i = 0; i < channel.length; i++) {
      const t = i / SAMPLE_RATE - side * 0.7
      const wave = (0.5 + 0.5 * Math.sin((2 * Math.PI * t) / 10.3 - 1.2)) ** 2
      low += (0.03 + 0.1 * wave) * (random() * 2 - 1 - low)
      lower += 0.004 * (low - lower)
      channel[i]! += (low - lower) * (0.02 + 0.09 * wave)
    }
  })
}

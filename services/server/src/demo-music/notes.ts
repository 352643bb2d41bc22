const STEPS: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 }

/** The frequency of a note in equal temperament: `a4` is 440 Hz, `f#3`, `bb5`. Throws RangeError for anything else. */
export function hertz(name: string): number {
  const match = /^([a-g])([#b]?)(\d)$/.exec(name)
  if (!match) throw new RangeError(`"${name}" is no note`)
  const accidental = match[2] === '#' ? 1 : match[2] === 'b' ? -1 : 0
  const semitones = STEPS[match[1]!]! + accidental + 12 * Number(match[3]) - 57
  return 440 * 2 ** (semitones / 12)
}

/** Some notes at once: `c4 e4 g4`. */
export function chord(names: string): number[] {
  return names.trim().split(/\s+/).map(hertz)
}

/** A note of a melody; times in beats. */
export interface MelodyNote {
  readonly hz: number
  readonly beat: number
  readonly beats: number
}

/** A line of notes, one after the other, each with its length in beats: `a4:1 c5:.5 -:1.5` (a dash is a rest; `|` is for the eye). */
export function melody(text: string): MelodyNote[] {
  const notes: MelodyNote[] = []
  let beat = 0
  for (const word of text.replaceAll('|', ' ').trim().split(/\s+/)) {
    const [name, length] = word.split(':')
    const beats = Number(length ?? 1)
    if (name !== '-') notes.push({ hz: hertz(name!), beat, beats })
    beat += beats
  }
  return notes
}

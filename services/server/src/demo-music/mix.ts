export const SAMPLE_RATE = 44_100

/** A stereo recording in the making: what is heard directly, and what goes to the room. Samples are -1 to 1 in spirit, not by force. */
export interface Mix {
  readonly left: Float32Array
  readonly right: Float32Array
  readonly roomLeft: Float32Array
  readonly roomRight: Float32Array
}

/** How one sound stands in the mix. */
export interface Placement {
  readonly atSeconds: number
  readonly gain: number
  /** -1 is left, 1 is right. */
  readonly pan?: number
  /** How much of it goes to the room as well, 0 to 1. */
  readonly room?: number
}

export function emptyMix(seconds: number): Mix {
  const samples = () => new Float32Array(Math.round(seconds * SAMPLE_RATE))
  return { left: samples(), right: samples(), roomLeft: samples(), roomRight: samples() }
}

/** Adds a sound to the mix, at equal power wherever it is panned. What would stand before the beginning or after the end is left out. */
export function place(mix: Mix, sound: Float32Array, { atSeconds, gain, pan = 0, room = 0 }: Placement): void {
  const angle = ((pan + 1) * Math.PI) / 4
  const left = gain * Math.cos(angle) * Math.SQRT2
  const right = gain * Math.sin(angle) * Math.SQRT2
  add(mix.left, sound, atSeconds, left)
  add(mix.right, sound, atSeconds, right)
  if (room === 0) return
  add(mix.roomLeft, sound, atSeconds, left * room)
  add(mix.roomRight, sound, atSeconds, right * room)
}

function add(track: Float32Array, sound: Float32Array, atSeconds: number, gain: number): void {
  const start = Math.round(atSeconds * SAMPLE_RATE)
  const end = Math.min(sound.length, track.length - start)
  for (let i = Math.max(0, -start); i < end; i++) track[start + i]! += sound[i]! * gain
}

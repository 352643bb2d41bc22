/** What is heard in a file. */
export interface Sound {
  /** Integrated, by EBU R 128; null for silence. */
  readonly loudnessLufs: number | null
  /** The loudest sample; null for silence. */
  readonly peakDbfs: number | null
  /** Where the first sound is. */
  readonly fromMs: number
  /** Where the last sound ends; null: at the end of the file. */
  readonly toMs: number | null
}

/** Nothing is known of it. */
export const UNMEASURED: Sound = { loudnessLufs: null, peakDbfs: null, fromMs: 0, toMs: null }
/** EBU R 128 gives this where nothing passes its gate. */
const GATE_LUFS = -70
/** Silence that begins so close to an end reaches it. */
const EDGE_MS = 100

/**
 * Reads what ffmpeg's filters `ebur128` and `silencedetect` wrote, with the position at the end (`time=`). Whatever can't be read counts as
 * not known; a file that is silent from end to end is not cut.
 */
export function readSound(report: string): Sound {
  const loudnessLufs = last(report, /^ {4}I: +(-?[\d.]+) LUFS/gm)
  const peakDbfs = last(report, /^ {4}Peak: +(-?[\d.]+) dBFS/gm)
  const endMs = lengthOf(report)
  const silences = silencesOf(report, endMs)
  const [first] = silences
  const final = silences.at(-1)
  if (loudnessLufs === null || loudnessLufs <= GATE_LUFS || endMs === null) return UNMEASURED
  const fromMs = first && first.fromMs <= EDGE_MS ? first.toMs : 0
  const toMs = final && final.toMs >= endMs - EDGE_MS ? final.fromMs : null
  return { loudnessLufs, peakDbfs, fromMs, toMs: toMs !== null && toMs > fromMs ? toMs : null }
}

function silencesOf(report: string, endMs: number | null): { fromMs: number; toMs: number }[] {
  const ends = numbers(report, /silence_end: ([\d.]+)/g)
  return numbers(report, /silence_start: (-?[\d.]+)/g).map((start, index) => ({
    fromMs: Math.max(0, Math.round(start * 1000)),
    toMs: index < ends.length ? Math.round(ends[index]! * 1000) : (endMs ?? 0),
  }))
}

function lengthOf(report: string): number | null {
  const [, hours, minutes, seconds] = [...report.matchAll(/time=(\d+):(\d\d):([\d.]+)/g)].at(-1) ?? []
  return seconds === undefined ? null : Math.round(Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000)
}

function last(report: string, pattern: RegExp): number | null {
  return numbers(report, pattern).at(-1) ?? null
}

function numbers(report: string, pattern: RegExp): number[] {
  return [...report.matchAll(pattern)].map(([, digits]) => Number(digits))
}

import type { MediaTools } from '../ports.ts'
import { confinedRun, type ConfinedOptions } from './ffmpeg/confined.ts'
import { extractPicture, toCover } from './ffmpeg/cover.ts'
import { derive, retag } from './ffmpeg/dress.ts'
import { probe } from './ffmpeg/probe.ts'
import { toAir } from './ffmpeg/to-air.ts'

/** ffprobe and ffmpeg, run with argv (never a shell) as the unprivileged user that children run as. What runs is killed when `stop` comes. */
export function ffmpeg(options: ConfinedOptions): MediaTools {
  const run = confinedRun(options)
  return {
    probe: (path) => probe(run, path),
    toAir: (from, to, format, onProgress) => toAir(run, from, to, format, onProgress),
    derive: (from, to, wish, onProgress) => derive(run, from, to, wish, onProgress),
    retag: (from, to, file, dress) => retag(run, from, to, file, dress),
    extractPicture: (from, stream, to) => extractPicture(run, from, stream, to),
    toCover: (from, to) => toCover(run, from, to),
  }
}

import { stat } from 'node:fs/promises'
import { AppError } from '@skipcast/runtime'
import { readSound, type Sound } from '../../domain/sound.ts'
import { waveformDrawing, type Waveform } from '../../domain/waveform.ts'
import type { AirFormat } from '../../ports.ts'
import { CONFINED, progressReader, QUIET, TELLING, type Run } from './confined.ts'
import { MAX_DURATION_MS } from './probe.ts'

/** A piece of 12 hours takes some 20 minutes of a core that it has for itself. */
const CONVERT_TIMEOUT_MS = 2 * 3_600_000
const ENCODER_DELAY_MS = 25
/** Enough for a drawing. */
const WAVEFORM_RATE_HZ = 11_025
const REFUSAL = 'The sound in this file can not be decoded.'

/** What is heard: loudness by EBU R 128, the highest sample, silence softer than -60 dBFS; and the samples of the waveform, to standard output. */
const HEAR = [
  '-filter_complex',
  `[0:a:0]asplit=2[measured][drawn];[measured]ebur128=peak=sample:framelog=verbose,silencedetect=noise=-60dB:d=0.1[heard];[drawn]aresample=${WAVEFORM_RATE_HZ}[wave]`,
]
const LIMIT = ['-t', `${MAX_DURATION_MS / 1000}`, '-threads', '1']

/** Makes the air file and, beside that and in its time, measures the sound; see `MediaTools`. */
export async function toAir(
  run: Run,
  from: string,
  to: string,
  { bitrateKbps, sampleRate }: AirFormat,
  onProgress: (madeMs: number) => void,
): Promise<{ durationMs: number; sound: Sound; waveform: Waveform }> {
  const output = ['-map', '0:a:0', '-map_metadata', '-1', '-map_chapters', '-1', '-ac', '2', '-ar', `${sampleRate}`]
  const mp3 = ['-c:a', 'libmp3lame', '-b:a', `${bitrateKbps}k`, '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3']
  const making = run(
    'ffmpeg',
    [...QUIET, ...TELLING, ...CONFINED, '-i', `file:${from}`, ...output, ...mp3, ...LIMIT, `file:${to}`],
    { timeoutMs: CONVERT_TIMEOUT_MS, refusal: REFUSAL, onOutput: progressReader(onProgress) },
  )
  const [made, heard] = await Promise.allSettled([making, hear(run, from)])
  if (made.status === 'rejected') throw made.reason
  if (heard.status === 'rejected') throw heard.reason
  const { size } = await stat(to)
  if (size === 0) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
  const durationMs = Math.round((size * 8) / bitrateKbps) // a constant bitrate, and nothing but frames
  return { durationMs, sound: inAirFile(readSound(heard.value.report), durationMs), waveform: heard.value.waveform }
}

async function hear(run: Run, from: string): Promise<{ report: string; waveform: Waveform }> {
  const drawing = waveformDrawing(WAVEFORM_RATE_HZ)
  const report = ['-map', '[heard]', ...LIMIT, '-f', 'null', '-']
  const samples = ['-map', '[wave]', '-ac', '1', ...LIMIT, '-f', 's16le', 'pipe:1']
  const { stderr } = await run(
    'ffmpeg',
    [
      '-nostdin',
      '-hide_banner',
      '-v',
      'info',
      '-nostats',
      '-y',
      ...CONFINED,
      '-i',
      `file:${from}`,
      ...HEAR,
      ...report,
      ...samples,
    ],
    { timeoutMs: CONVERT_TIMEOUT_MS, refusal: REFUSAL, onOutput: (chunk) => drawing.take(chunk) },
  )
  return { report: stderr, waveform: drawing.finish() }
}

/** The encoder puts a little silence before everything. */
function inAirFile(sound: Sound, durationMs: number): Sound {
  const { fromMs, toMs } = sound
  const end = toMs === null ? null : toMs + ENCODER_DELAY_MS
  return { ...sound, fromMs: fromMs && fromMs + ENCODER_DELAY_MS, toMs: end !== null && end < durationMs ? end : null }
}

import { stat } from 'node:fs/promises'
import { noSpace } from '@skipcast/media-store'
import { AppError, isAppError, runCommand, type ChildUser } from '@skipcast/runtime'
import type { AudioTools, Probe } from '../ports.ts'
import { readSound, type Sound } from '../domain/sound.ts'
import { turnstile } from './turnstile.ts'

/** Formats a file may have. Those that name other files or addresses (playlists, concat, DASH) are not among them. */
const FORMATS = 'mp3,flac,ogg,wav,w64,aiff,aac,mov,matroska,asf,ape,wv,ac3,eac3,amr,au,caf,tta'
/** Whatever a file says, nothing but this file is opened, and there is no network. */
const CONFINED = ['-protocol_whitelist', 'file', '-format_whitelist', FORMATS]
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }

/** What is heard, measured beside the conversion and in its time: loudness by EBU R 128, the highest sample, silence softer than -60 dBFS. */
const MEASURE = ['-nostdin', '-nostats', '-hide_banner', '-v', 'info', ...CONFINED]
const MEASURED = ['-map', '0:a:0', '-af', 'ebur128=peak=sample:framelog=verbose,silencedetect=noise=-60dB:d=0.1', '-threads', '1']
const ENCODER_DELAY_MS = 25

const PROBE_TIMEOUT_MS = 20_000
const CONVERT_TIMEOUT_MS = 10 * 60_000
const MAX_DURATION_MS = 12 * 3_600_000
const CONVERSIONS_AT_ONCE = 2
const CONVERSIONS_WAITING = 20
const PROBES_AT_ONCE = 2
const PROBES_WAITING = 20
/** A file of 5 kB with one sample a second would be 40 minutes of work. */
const LEAST_SAMPLE_RATE_HZ = 4000
const MOST_SAMPLE_RATE_HZ = 768_000

interface ProbeOutput {
  readonly streams?: readonly {
    readonly tags?: Record<string, unknown>
    readonly duration?: string
    readonly sample_rate?: string
  }[]
  readonly format?: { readonly tags?: Record<string, unknown>; readonly duration?: string }
}

/** ffprobe and ffmpeg, run with argv (never a shell) as the unprivileged user that children run as. */
export function ffmpeg(options: {
  format: { readonly bitrateKbps: number; readonly sampleRate: number }
  user: ChildUser | undefined
}): AudioTools {
  const { bitrateKbps, sampleRate } = options.format
  const takeTurn = turnstile({ atOnce: CONVERSIONS_AT_ONCE, waiting: CONVERSIONS_WAITING })
  const takeProbeTurn = turnstile({ atOnce: PROBES_AT_ONCE, waiting: PROBES_WAITING })
  const run = (program: string, args: readonly string[], timeoutMs: number) =>
    runCommand(program, args, { timeoutMs, user: options.user, cwd: '/', env: ENVIRONMENT })

  return {
    async probe(path): Promise<Probe> {
      const args = [
        '-v',
        'error',
        ...CONFINED,
        '-of',
        'json',
        '-show_format',
        '-show_streams',
        '-select_streams',
        'a:0',
        `file:${path}`,
      ]
      const { stdout } = await takeProbeTurn(() => run('ffprobe', args, PROBE_TIMEOUT_MS)).catch(
        asUnprocessable('This is no audio file that can be read.'),
      )
      const { streams, format } = JSON.parse(stdout.toString('utf8')) as ProbeOutput
      const audio = streams?.[0]
      if (!audio) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
      const sampleRateHz = Number(audio.sample_rate)
      if (!(sampleRateHz >= LEAST_SAMPLE_RATE_HZ && sampleRateHz <= MOST_SAMPLE_RATE_HZ))
        throw new AppError(
          'UNPROCESSABLE',
          `This file has a sample rate of ${audio.sample_rate ?? 0} Hz; it must be from ${LEAST_SAMPLE_RATE_HZ} to ${MOST_SAMPLE_RATE_HZ}. Convert it, to 44100 Hz for example, and upload that.`,
        )
      const durationMs = Math.round(Number(audio.duration ?? format?.duration ?? 0) * 1000)
      if (durationMs > MAX_DURATION_MS)
        throw new AppError('UNPROCESSABLE', 'A piece may last up to 12 hours. Cut it into shorter ones and upload these.')
      return { durationMs, tags: { ...audio.tags, ...format?.tags } }
    },

    async convert(from, to) {
      const output = ['-map', '0:a:0', '-map_metadata', '-1', '-map_chapters', '-1', '-ac', '2', '-ar', `${sampleRate}`]
      const mp3 = ['-c:a', 'libmp3lame', '-b:a', `${bitrateKbps}k`, '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3']
      const limit = ['-t', `${MAX_DURATION_MS / 1000}`, '-threads', '1']
      const args = ['-nostdin', '-v', 'error', '-y', ...CONFINED, '-i', `file:${from}`, ...output, ...mp3, ...limit, `file:${to}`]
      const refuse = asUnprocessable('The sound in this file can not be decoded.')
      const report = await takeTurn(async () => {
        const measuring = run(
          'ffmpeg',
          [...MEASURE, '-i', `file:${from}`, ...MEASURED, ...limit, '-f', 'null', '-'],
          CONVERT_TIMEOUT_MS,
        )
          .then(({ stderr }) => stderr)
          .catch(() => '') // a piece that was not measured plays as it is
        await run('ffmpeg', args, CONVERT_TIMEOUT_MS)
          .finally(() => measuring)
          .catch(refuse)
        return measuring
      })
      const { size } = await stat(to)
      if (size === 0) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
      const durationMs = Math.round((size * 8) / bitrateKbps) // a constant bitrate, and nothing but frames
      return { durationMs, sound: inAirFile(readSound(report), durationMs) }
    },
  }
}

/** The encoder puts a little silence before everything. */
function inAirFile(sound: Sound, durationMs: number): Sound {
  const { fromMs, toMs } = sound
  const end = toMs === null ? null : toMs + ENCODER_DELAY_MS
  return { ...sound, fromMs: fromMs && fromMs + ENCODER_DELAY_MS, toMs: end !== null && end < durationMs ? end : null }
}

/** What the programs refuse is the file's fault; a program that is not there is ours. */
function asUnprocessable(message: string): (error: unknown) => never {
  return (cause) => {
    if (!isAppError(cause, 'COMMAND_FAILED')) throw cause
    if (String(cause.details).includes('No space left on device')) throw noSpace(cause)
    throw new AppError('UNPROCESSABLE', message, { cause })
  }
}

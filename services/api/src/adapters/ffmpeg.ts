import { stat } from 'node:fs/promises'
import { AppError, isAppError, runCommand, type ChildUser } from '@skipcast/runtime'
import type { AudioTools, Probe } from '../ports.ts'
import { noSpace } from './no-space.ts'
import { turnstile } from './turnstile.ts'

/** Formats a file may have. Those that name other files or addresses (playlists, concat, DASH) are not among them. */
const FORMATS = 'mp3,flac,ogg,wav,w64,aiff,aac,mov,matroska,asf,ape,wv,ac3,eac3,amr,au,caf,tta'
/** Whatever a file says, nothing but this file is opened, and there is no network. */
const CONFINED = ['-protocol_whitelist', 'file', '-format_whitelist', FORMATS]
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }

const PROBE_TIMEOUT_MS = 20_000
const CONVERT_TIMEOUT_MS = 10 * 60_000
const MAX_DURATION_MS = 12 * 3_600_000
const CONVERSIONS_AT_ONCE = 2
const CONVERSIONS_WAITING = 20

interface ProbeOutput {
  readonly streams?: readonly { readonly tags?: Record<string, unknown>; readonly duration?: string }[]
  readonly format?: { readonly tags?: Record<string, unknown>; readonly duration?: string }
}

/** ffprobe and ffmpeg, run with argv (never a shell) as the unprivileged user that children run as. */
export function ffmpeg(options: {
  format: { readonly bitrateKbps: number; readonly sampleRate: number }
  user: ChildUser | undefined
}): AudioTools {
  const { bitrateKbps, sampleRate } = options.format
  const takeTurn = turnstile({ atOnce: CONVERSIONS_AT_ONCE, waiting: CONVERSIONS_WAITING })
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
      const { stdout } = await run('ffprobe', args, PROBE_TIMEOUT_MS).catch(
        asUnprocessable('This is no audio file that can be read.'),
      )
      const { streams, format } = JSON.parse(stdout.toString('utf8')) as ProbeOutput
      const audio = streams?.[0]
      if (!audio) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
      const durationMs = Math.round(Number(audio.duration ?? format?.duration ?? 0) * 1000)
      if (durationMs > MAX_DURATION_MS) throw new AppError('UNPROCESSABLE', 'A piece may last up to 12 hours.')
      return { durationMs, tags: { ...audio.tags, ...format?.tags } }
    },

    async convert(from, to) {
      const output = ['-map', '0:a:0', '-map_metadata', '-1', '-map_chapters', '-1', '-ac', '2', '-ar', `${sampleRate}`]
      const mp3 = ['-c:a', 'libmp3lame', '-b:a', `${bitrateKbps}k`, '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3']
      const limit = ['-t', `${MAX_DURATION_MS / 1000}`, '-threads', '1']
      const args = ['-nostdin', '-v', 'error', '-y', ...CONFINED, '-i', `file:${from}`, ...output, ...mp3, ...limit, `file:${to}`]
      const refuse = asUnprocessable('The sound in this file can not be decoded.')
      await takeTurn(() => run('ffmpeg', args, CONVERT_TIMEOUT_MS).catch(refuse))
      const { size } = await stat(to)
      if (size === 0) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
      return { durationMs: Math.round((size * 8) / bitrateKbps) } // a constant bitrate, and nothing but frames
    },
  }
}

/** What the programs refuse is the file's fault; a program that is not there is ours. */
function asUnprocessable(message: string): (error: unknown) => never {
  return (cause) => {
    if (!isAppError(cause, 'COMMAND_FAILED')) throw cause
    if (String(cause.details).includes('No space left on device')) throw noSpace(cause)
    throw new AppError('UNPROCESSABLE', message, { cause })
  }
}

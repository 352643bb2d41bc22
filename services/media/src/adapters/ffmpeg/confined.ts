import { noSpace } from '@skipcast/media-store'
import { AppError, isAppError, runCommand, type ChildUser } from '@skipcast/runtime'

/** Formats a file may have. Those that name other files or addresses (playlists, concat, DASH) are not among them. */
const FORMATS = 'mp3,flac,ogg,wav,w64,aiff,aac,mov,matroska,asf,ape,wv,ac3,eac3,amr,au,caf,tta,avi,flv,mpeg'
/** Whatever a file says, nothing but the files of the command line are opened, and there is no network. */
export const CONFINED = ['-protocol_whitelist', 'file', '-format_whitelist', FORMATS]
/** Of pictures, one by one: no format that could name another. */
export const CONFINED_PICTURE = ['-protocol_whitelist', 'file', '-format_whitelist', 'png_pipe,jpeg_pipe,gif,webp_pipe']
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }

export interface ToolLimits {
  /** For whatever a program does, however long it might take. */
  readonly mostMs: number
  /** One that tells how far it is, and then tells nothing for so long, hangs. */
  readonly silenceMs: number
}

const LIMITS: ToolLimits = { mostMs: 2 * 3_600_000, silenceMs: 5 * 60_000 }
const PROGRAMS = { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' } as const

interface RunOptions {
  readonly timeoutMs: number
  /** What the owner is told when the program refuses the file. */
  readonly refusal: string
  readonly onOutput?: (chunk: Buffer) => void
}

/** Runs ffmpeg or ffprobe with argv, never a shell. Rejects with UNPROCESSABLE for what it refuses, NO_SPACE, PROGRAM_MISSING. */
export type Run = (
  program: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  options: RunOptions,
) => Promise<{ stdout: Buffer; stderr: string }>

export interface ConfinedOptions {
  /** The unprivileged user that children run as. */
  readonly user: ChildUser | undefined
  /** What runs is killed when it comes. */
  readonly stop: AbortSignal
  readonly programs?: Readonly<Record<'ffmpeg' | 'ffprobe', string>>
  readonly limits?: ToolLimits
}

export function confinedRun({ user, stop, programs = PROGRAMS, limits = LIMITS }: ConfinedOptions): Run {
  return (program, args, { refusal, ...options }) => {
    const timeoutMs = Math.min(options.timeoutMs, limits.mostMs)
    const silenceMs = options.onOutput && limits.silenceMs
    const confined = { ...options, timeoutMs, ...(silenceMs && { silenceMs }), user, cwd: '/', env: ENVIRONMENT, stop }
    return runCommand(programs[program], args, confined).catch((cause: unknown) => {
      // What the program refuses is the file's fault; that it was stopped, or is not there, is not.
      if (!isAppError(cause, 'COMMAND_FAILED') || stop.aborted) throw cause
      if (String(cause.details).includes('No space left on device')) throw noSpace(cause)
      throw new AppError('UNPROCESSABLE', refusal, { cause })
    })
  }
}

/** Reads `-progress pipe:1`: calls back with how much is made, in ms. */
export function progressReader(onProgress: (madeMs: number) => void): (chunk: Buffer) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop()!.slice(-200)
    for (const line of lines) {
      const [, microseconds] = /^out_time_us=(\d+)$/.exec(line) ?? []
      if (microseconds !== undefined) onProgress(Math.round(Number(microseconds) / 1000))
    }
  }
}

/** What every run of ffmpeg begins with. */
export const QUIET = ['-nostdin', '-nostats', '-hide_banner', '-v', 'error', '-y']
export const TELLING = ['-progress', 'pipe:1', '-stats_period', '0.2']

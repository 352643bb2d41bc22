import { runCommand } from '@skipcast/runtime'

export interface ToneFileOptions {
  readonly frequencyHz: number
  /** It rises by so many Hz each second, so that what is heard tells where in the file it is. Default 0. */
  readonly risesHz?: number
  readonly seconds: number
  /** 0 dBFS is a sine of full scale; -Infinity is digital silence. Default -12. */
  readonly levelDbfs?: number
  /** Default 44 100. */
  readonly sampleRate?: number
  /** Default 2, both the same. */
  readonly channels?: 1 | 2
  /** Of an MP3. Default 128. */
  readonly bitrateKbps?: number
  readonly title?: string
  readonly artist?: string
}

// Looked up once: in jest's context each look at a global takes 0.5 µs, and the loops below have millions.
const { PI, round, sin } = Math
const MAX_SECONDS = 600

/** Writes a tone as `.mp3`, `.wav`, `.flac` or whatever else ffmpeg knows by its ending, and returns the path. Replaces what stands there. */
export async function toneFile(path: string, options: ToneFileOptions): Promise<string> {
  const { sampleRate = 44_100, channels = 2, bitrateKbps = 128, title, artist } = options
  if (!(options.seconds > 0 && options.seconds <= MAX_SECONDS)) throw new RangeError(`A tone lasts up to ${MAX_SECONDS} s`)
  const input = ['-f', 's16le', '-ar', `${sampleRate}`, '-ac', `${channels}`, '-i', 'pipe:0']
  const tags = [
    ...(title === undefined ? [] : ['-metadata', `title=${title}`]),
    ...(artist === undefined ? [] : ['-metadata', `artist=${artist}`]),
  ]
  const rate = path.endsWith('.mp3') ? ['-b:a', `${bitrateKbps}k`] : []
  const pcm = sine(options, round(options.seconds * sampleRate), sampleRate, channels)
  await runCommand('ffmpeg', ['-v', 'error', '-y', ...input, ...tags, ...rate, `file:${path}`], { timeoutMs: 60_000, input: pcm })
  return path
}

function sine(
  { frequencyHz, risesHz = 0, levelDbfs = -12 }: ToneFileOptions,
  count: number,
  sampleRate: number,
  channels: number,
): Buffer {
  const samples = new Int16Array(count * channels)
  const amplitude = 32_767 * 10 ** (levelDbfs / 20)
  for (let i = 0; i < count; i++) {
    const seconds = i / sampleRate
    const turns = (frequencyHz + (risesHz * seconds) / 2) * seconds
    samples.fill(round(amplitude * sin(2 * PI * turns)), i * channels, (i + 1) * channels)
  }
  return Buffer.from(samples.buffer)
}

import { oggOpusWriter, type AirFormat } from '@skipcast/audio'
import { AppError, isAppError, runCommand, waitFor } from '@skipcast/runtime'
import type { Listener } from './listener.ts'
import type { ReceivedFrame } from './received-audio.ts'
import { SILENCE, strongestTone, type Tone } from './spectrum.ts'
import { toneLevels, type ToneLevels } from './tone-levels.ts'

const SAMPLE_RATE = 22_050
/** Frames before the wanted ones that a decoder gets too: main data may begin up to 511 bytes earlier. */
const LEAD_IN_FRAMES = 10
/** An encoder's and a decoder's delay together: the first of what decodes from a frame belongs to audio before it. */
const CODEC_DELAY_MS = 80
const TOLERANCE_HZ = 10
/** Less than this part of the energy, and something else sounds as well. */
const CLEAR_SHARE = 0.6

/** The strongest tone in the last `lastMs` of audio that a listener received; silence when it received nothing. Rejects when ffmpeg fails. */
export async function hearTone(listener: Pick<Listener, 'framesSince'>, options: { lastMs: number }): Promise<Tone> {
  return strongestTone(await decodeLast(listener.framesSince(-Infinity), options.lastMs), SAMPLE_RATE)
}

/**
 * Waits until this tone, and hardly anything beside it, is heard in audio that arrived after the call. Resolves with the tone.
 * Rejects with TIMEOUT, which tells what was heard last.
 */
export async function hears(
  listener: Pick<Listener, 'framesSince'>,
  frequencyHz: number,
  options: { timeoutMs: number; windowMs?: number },
): Promise<Tone> {
  const mark = performance.now()
  const windowMs = options.windowMs ?? 400
  let last = SILENCE
  let newest: ReceivedFrame | undefined
  const listen = async () => {
    const frames = listener.framesSince(mark)
    if (playMs(frames) < windowMs + CODEC_DELAY_MS || frames.at(-1) === newest) return null
    newest = frames.at(-1)
    // Decoding begins a process, which holds this one up for some 10 ms.
    if (isSilent(frames, windowMs)) {
      last = SILENCE
      return null
    }
    last = strongestTone(await decodeLast(frames, windowMs), SAMPLE_RATE)
    const isIt = last.frequencyHz !== null && Math.abs(last.frequencyHz - frequencyHz) < TOLERANCE_HZ && last.share > CLEAR_SHARE
    return isIt ? last : null
  }
  try {
    return await waitFor(`a tone of ${frequencyHz} Hz`, listen, { timeoutMs: options.timeoutMs, everyMs: 50 })
  } catch (cause) {
    if (!isAppError(cause, 'TIMEOUT')) throw cause
    throw new AppError('TIMEOUT', `${cause.message}; heard last: ${describe(last)}`, { cause: cause.cause })
  }
}

/** How loud each of these tones was in the last `lastMs` that a listener received, window after window. Rejects when ffmpeg fails. */
export async function hearLevels(
  listener: Pick<Listener, 'framesSince'>,
  options: { lastMs: number; frequenciesHz: readonly number[]; windowMs: number },
): Promise<ToneLevels[]> {
  return toneLevels(await decodeLast(listener.framesSince(-Infinity), options.lastMs), { ...options, sampleRate: SAMPLE_RATE })
}

/** Mono samples, -1 to 1, of the last `lastMs` that these frames play, of those in the format that came last. */
async function decodeLast(received: readonly ReceivedFrame[], lastMs: number): Promise<Float32Array> {
  const format = received.at(-1)?.format ?? 'mp3'
  const frames = received.slice(received.findLastIndex((frame) => frame.format !== format) + 1)
  let first = frames.length
  for (let ms = 0; first > 0 && ms < lastMs;) ms += frames[--first]!.durationMs
  if (first === frames.length) return new Float32Array()
  const input = fileOf(format, frames.slice(Math.max(0, first - LEAD_IN_FRAMES)))
  const output = ['-af', 'aresample=rematrix_maxval=1', '-ac', '1', '-ar', `${SAMPLE_RATE}`, '-f', 'f32le', 'pipe:1']
  const { stdout } = await runCommand('ffmpeg', ['-v', 'error', '-f', DEMUXERS[format], '-i', 'pipe:0', ...output], {
    timeoutMs: 20_000,
    input,
  })
  const samples = new Float32Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length - (stdout.length % 4)),
  )
  return samples.subarray(Math.max(0, samples.length - Math.round((lastMs * SAMPLE_RATE) / 1000)))
}

const DEMUXERS: Readonly<Record<AirFormat, string>> = { mp3: 'mp3', opus: 'ogg', aac: 'aac' }

function fileOf(format: AirFormat, frames: readonly ReceivedFrame[]): Buffer {
  if (format !== 'opus') return Buffer.concat(frames.map((frame) => frame.data))
  const writer = oggOpusWriter()
  return Buffer.concat([writer.head, ...frames.map((frame) => writer.page(frame))])
}

/** Whether the last so many ms are digital silence. */
function isSilent(frames: readonly ReceivedFrame[], lastMs: number): boolean {
  let ms = 0
  for (const frame of frames.toReversed()) {
    if (!frame.silent) return false
    ms += frame.durationMs
    if (ms >= lastMs) return true
  }
  return false
}

function playMs(frames: readonly ReceivedFrame[]): number {
  return frames.reduce((sum, frame) => sum + frame.durationMs, 0)
}

function describe({ frequencyHz, levelDbfs, share }: Tone): string {
  if (frequencyHz === null) return 'silence'
  return `${frequencyHz.toFixed(0)} Hz at ${levelDbfs.toFixed(0)} dBFS (${(share * 100).toFixed(0)} % of the energy)`
}

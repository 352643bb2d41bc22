import { open } from 'node:fs/promises'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { containerOf, contentTypeOf } from '../../domain/file-facts.ts'
import { fileTags } from '../../domain/file-tags.ts'
import { looksLike, SNIFFED_BYTES } from '../../domain/sniff.ts'
import type { Probe } from '../../ports.ts'
import { CONFINED, type Run } from './confined.ts'

const PROBE_TIMEOUT_MS = 60_000
export const MAX_DURATION_MS = 12 * 3_600_000
/** A file of 5 kB with one sample a second would be 40 minutes of work. */
const LEAST_SAMPLE_RATE_HZ = 4000
const MOST_SAMPLE_RATE_HZ = 768_000
const MAX_STREAMS = 100

const REFUSALS = {
  unknown: 'This is no audio file that can be read. Upload music, such as MP3, FLAC, Ogg, WAV or M4A.',
  playlist: 'This is a playlist, which only names other files. Upload the music itself.',
  picture: 'This is a picture. Upload music, and give it the picture as its cover: PUT /api/media/{media}/cover.',
} as const

const tags = z.record(z.string(), z.unknown()).default({})
const numeric = z.coerce.number().nullable().catch(null)
const output = z.object({
  streams: z
    .array(
      z.object({
        index: z.int(),
        codec_type: z.string().default(''),
        codec_name: z.string().default(''),
        channels: z.int().default(0),
        sample_rate: numeric,
        bit_rate: numeric,
        duration: numeric,
        disposition: z.object({ attached_pic: z.int().default(0) }).default({ attached_pic: 0 }),
        tags,
      }),
    )
    .max(MAX_STREAMS)
    .default([]),
  format: z.object({ format_name: z.string().default(''), duration: numeric, bit_rate: numeric, tags }),
})

/** Looks into a file without decoding it; see `MediaTools`. */
export async function probe(run: Run, path: string): Promise<Probe> {
  const looks = await looksOf(path)
  if (looks !== 'unknown') throw new AppError('UNPROCESSABLE', REFUSALS[looks])
  const args = ['-v', 'error', ...CONFINED, '-of', 'json', '-show_format', '-show_streams', `file:${path}`]
  const { stdout } = await run('ffprobe', args, { timeoutMs: PROBE_TIMEOUT_MS, refusal: REFUSALS.unknown })
  const { streams, format } = read(stdout)
  const audio = streams.find(({ codec_type }) => codec_type === 'audio')
  if (!audio) throw new AppError('UNPROCESSABLE', 'There is no sound in this file.')
  requireSampleRate(audio.sample_rate)
  const durationMs = Math.round((audio.duration ?? format.duration ?? 0) * 1000)
  if (durationMs > MAX_DURATION_MS)
    throw new AppError('UNPROCESSABLE', 'A piece may last up to 12 hours. Cut it into shorter ones and upload these.')
  const pictures = streams.filter(({ codec_type }) => codec_type === 'video')
  const attached = pictures.find(({ disposition }) => disposition.attached_pic === 1)
  const kind = pictures.some(({ disposition }) => disposition.attached_pic === 0) ? 'video' : 'audio'
  const container = containerOf(format.format_name)
  const bitrate = audio.bit_rate ?? format.bit_rate
  return {
    kind,
    durationMs,
    tags: fileTags({ ...audio.tags, ...format.tags }),
    pictureStream: attached?.index ?? null,
    container,
    codec: audio.codec_name.slice(0, 100),
    contentType: contentTypeOf(container, kind),
    bitrateKbps: bitrate === null ? null : Math.round(bitrate / 1000),
    channels: audio.channels,
    sampleRate: audio.sample_rate!,
  }
}

async function looksOf(path: string) {
  await using file = await open(path, 'r')
  const head = Buffer.alloc(SNIFFED_BYTES)
  const { bytesRead } = await file.read(head, 0, SNIFFED_BYTES, 0)
  return looksLike(head.subarray(0, bytesRead))
}

/** What can't be read is a file made to be unreadable: tags of many megabytes, a thousand streams. */
function read(stdout: Buffer): z.output<typeof output> {
  try {
    return output.parse(JSON.parse(stdout.toString('utf8')))
  } catch (cause) {
    throw new AppError('UNPROCESSABLE', REFUSALS.unknown, { cause })
  }
}

function requireSampleRate(sampleRate: number | null): void {
  if (sampleRate !== null && sampleRate >= LEAST_SAMPLE_RATE_HZ && sampleRate <= MOST_SAMPLE_RATE_HZ) return
  throw new AppError(
    'UNPROCESSABLE',
    `This file has a sample rate of ${sampleRate ?? 0} Hz; it must be from ${LEAST_SAMPLE_RATE_HZ} to ${MOST_SAMPLE_RATE_HZ}. Convert it, to 44100 Hz for example, and upload that.`,
  )
}

import type { MediaFormat } from '@skipcast/contracts'

/** What a downloadable file is, from its content. Names are ffmpeg's. */
export interface FileFacts {
  readonly container: string
  readonly codec: string
  readonly contentType: string
  readonly bitrateKbps: number | null
  readonly channels: number
  readonly sampleRate: number
}

interface Container {
  readonly audio: string
  readonly video: string
  /** The muxer that writes it with tags; null: none does. */
  readonly muxer: { readonly audio: string | null; readonly video: string | null }
  readonly holdsPicture: boolean
}

const OTHER: Container = {
  audio: 'application/octet-stream',
  video: 'application/octet-stream',
  muxer: { audio: null, video: null },
  holdsPicture: false,
}

/** By the demuxer that reads them: what they are served as, and how they are written again. */
const CONTAINERS: Readonly<Record<string, Container>> = {
  mp3: { audio: 'audio/mpeg', video: 'audio/mpeg', muxer: { audio: 'mp3', video: null }, holdsPicture: true },
  flac: { audio: 'audio/flac', video: 'audio/flac', muxer: { audio: 'flac', video: null }, holdsPicture: true },
  ogg: { audio: 'audio/ogg', video: 'video/ogg', muxer: { audio: 'ogg', video: 'ogg' }, holdsPicture: false },
  wav: { audio: 'audio/wav', video: 'audio/wav', muxer: { audio: 'wav', video: null }, holdsPicture: false },
  aiff: { audio: 'audio/aiff', video: 'audio/aiff', muxer: { audio: 'aiff', video: null }, holdsPicture: false },
  aac: { ...OTHER, audio: 'audio/aac' },
  mov: { audio: 'audio/mp4', video: 'video/mp4', muxer: { audio: 'ipod', video: 'mp4' }, holdsPicture: true },
  matroska: {
    audio: 'audio/x-matroska',
    video: 'video/x-matroska',
    muxer: { audio: 'matroska', video: 'matroska' },
    holdsPicture: false,
  },
  asf: { audio: 'audio/x-ms-wma', video: 'video/x-ms-wmv', muxer: { audio: 'asf', video: 'asf' }, holdsPicture: false },
  avi: { ...OTHER, video: 'video/x-msvideo', muxer: { audio: null, video: 'avi' } },
}

/** `mov,mp4,m4a,3gp,3g2,mj2` is `mov`. */
export function containerOf(formatName: string): string {
  return formatName.split(',')[0] ?? ''
}

export function contentTypeOf(container: string, kind: 'audio' | 'video'): string {
  return (CONTAINERS[container] ?? OTHER)[kind]
}

/** How a file is written again with other tags; null: files of this kind hold none. */
export function muxerOf(container: string, kind: 'audio' | 'video'): { name: string; holdsPicture: boolean } | null {
  const { muxer, holdsPicture } = CONTAINERS[container] ?? OTHER
  const name = muxer[kind]
  return name === null ? null : { name, holdsPicture: holdsPicture && kind === 'audio' }
}

/** How each format is made: where a bitrate is lossy, high enough that nobody hears a second generation. */
export const ENCODERS: Readonly<Record<MediaFormat, { readonly codec: readonly string[]; readonly container: string }>> = {
  mp3: { codec: ['-c:a', 'libmp3lame', '-b:a', '256k'], container: 'mp3' },
  flac: { codec: ['-c:a', 'flac'], container: 'flac' },
  ogg: { codec: ['-c:a', 'libvorbis', '-q:a', '7'], container: 'ogg' },
  opus: { codec: ['-c:a', 'libopus', '-b:a', '160k'], container: 'ogg' },
  m4a: { codec: ['-c:a', 'aac', '-b:a', '256k'], container: 'mov' },
  wav: { codec: ['-c:a', 'pcm_s16le'], container: 'wav' },
}

const FORMATS: Readonly<Record<string, MediaFormat>> = { mp3: 'mp3', flac: 'flac', vorbis: 'ogg', opus: 'opus', aac: 'm4a' }

/** The format that comes closest to a codec, for a piece that is cut and keeps its own. What is lossless stays so. */
export function formatOf(codec: string): MediaFormat {
  return FORMATS[codec] ?? (codec.startsWith('pcm_') ? 'wav' : 'flac')
}

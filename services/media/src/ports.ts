import type { FileTags, MediaFormat, MediaTags } from '@skipcast/contracts'
import type { Sound } from './domain/sound.ts'
import type { FileFacts } from './domain/file-facts.ts'
import type { Waveform } from './domain/waveform.ts'

/** What a file of a stranger is, as far as can be told without decoding it. */
export interface Probe extends FileFacts {
  readonly kind: 'audio' | 'video'
  readonly durationMs: number
  readonly tags: FileTags
  /** Which of its streams is a picture of the piece; null: none. */
  readonly pictureStream: number | null
}

export interface AirFormat {
  readonly bitrateKbps: number
  readonly sampleRate: number
}

/**
 * Looks into files of strangers and makes others of them: without a network, nothing but the files named here, within a time limit, as an
 * unprivileged user. Every method rejects with UNPROCESSABLE for what is the file's fault, NO_SPACE for a full disk, PROGRAM_MISSING.
 */
export interface MediaTools {
  probe(path: string): Promise<Probe>
  /** Makes the air file, and tells what is heard in it. `onProgress`: how much of it is made, in ms. */
  toAir(
    from: string,
    to: string,
    format: AirFormat,
    onProgress: (madeMs: number) => void,
  ): Promise<{ readonly durationMs: number; readonly sound: Sound; readonly waveform: Waveform }>
  /** Cuts, converts, or both: the sound alone, with these tags and, where the format can hold one, this picture. */
  derive(from: string, to: string, wish: Derivation, onProgress: (madeMs: number) => void): Promise<void>
  /** The same file with these tags and this picture; the sound is copied. */
  retag(from: string, to: string, file: Pick<Probe, 'container' | 'kind'>, dress: Dress): Promise<void>
  /** The bytes of one picture stream. */
  extractPicture(from: string, stream: number, to: string): Promise<void>
  /** A small JPEG of a picture, with nothing in it but what is seen. */
  toCover(from: string, to: string): Promise<void>
}

/** What a file wears. */
export interface Dress {
  readonly tags: MediaTags
  /** The path of a JPEG. */
  readonly coverPath: string | null
}

export interface Derivation extends Dress {
  readonly format: MediaFormat
  readonly fromMs: number | null
  readonly toMs: number | null
}

/** A folder for one job: gone with all in it when disposed. */
export interface Workplace extends AsyncDisposable {
  /** A path of a file that the programs may write. */
  path(name: string): string
}

/** How often each job was begun, though the process may have died in between. */
export interface Attempts {
  /** Notes one more; resolves to how many there are now, this one included. */
  begin(jobId: string): Promise<number>
  /** The job ended, in whatever way. */
  end(jobId: string): Promise<void>
}

import { measureFile, orNoSpace, type MediaKind, type MediaStore } from '@skipcast/media-store'
import { writeFile } from 'node:fs/promises'
import { isAppError } from '@skipcast/runtime'
import type { FileFacts } from './domain/file-facts.ts'
import type { AirFormat, MediaTools, Probe, Workplace } from './ports.ts'

export interface FilePorts {
  readonly tools: MediaTools
  readonly store: Pick<MediaStore, 'put' | 'fetchTo'>
}

/** A file by its content: an original in a workplace, or what was kept of one. */
export interface MeasuredFile {
  readonly path: string
  readonly sha256: string
  readonly sizeBytes: number
}

/** The file of a piece, as it is told. */
export function fileOf({ sha256, sizeBytes }: MeasuredFile, facts: FileFacts) {
  return {
    sha256,
    size_bytes: sizeBytes,
    content_type: facts.contentType,
    container: facts.container,
    codec: facts.codec,
    bitrate_kbps: facts.bitrateKbps,
    channels: facts.channels,
    sample_rate: facts.sampleRate,
  }
}

/**
 * Makes of an original what is needed to play and to show it (air file, drawing, cover), puts that into the store, and resolves to what is told of it.
 * Rejects as `MediaTools` and `MediaStore` do.
 */
export async function importFile(
  ports: FilePorts,
  workplace: Workplace,
  original: MeasuredFile,
  format: AirFormat,
  onProgress: (percent: number) => void,
) {
  const { tools } = ports
  const probe = await tools.probe(original.path)
  const cover = await coverIn(ports, workplace, original.path, probe)
  const airPath = workplace.path('air')
  const told = (madeMs: number) => onProgress(probe.durationMs === 0 ? 0 : Math.min(99, (100 * madeMs) / probe.durationMs))
  const { durationMs, sound, waveform } = await tools.toAir(original.path, airPath, format, told)
  const air = await keepFile(ports, 'air', airPath)
  const drawingPath = workplace.path('waveform')
  await writeFile(drawingPath, JSON.stringify(waveform)).catch(orNoSpace)
  const drawing = await keepFile(ports, 'waveforms', drawingPath)
  return {
    kind: probe.kind,
    tags: probe.tags,
    air: { sha256: air.sha256, size_bytes: air.sizeBytes, duration_ms: durationMs },
    file: fileOf(original, probe),
    sound: {
      loudness_lufs: sound.loudnessLufs,
      peak_dbfs: sound.peakDbfs,
      cue_in_ms: sound.fromMs,
      cue_out_ms: sound.toMs,
    },
    cover,
    waveform: drawing.sha256,
  }
}

/** The picture that a file brings; a picture that can not be read does not keep the music from being played. */
async function coverIn(ports: FilePorts, workplace: Workplace, path: string, probe: Probe): Promise<string | null> {
  if (probe.pictureStream === null) return null
  try {
    const picture = workplace.path('picture')
    await ports.tools.extractPicture(path, probe.pictureStream, picture)
    return await keepCover(ports, workplace, picture)
  } catch (error) {
    if (isAppError(error, 'UNPROCESSABLE')) return null
    throw error
  }
}

/** Makes a cover of a picture and puts it into the store; resolves to its hash. */
export async function keepCover(ports: FilePorts, workplace: Workplace, picturePath: string): Promise<string> {
  const path = workplace.path('cover')
  await ports.tools.toCover(picturePath, path)
  return (await keepFile(ports, 'covers', path)).sha256
}

/** Puts a file into the store by its content; it is gone from where it was. Rejects as `MediaStore.put` does. */
export async function keepFile({ store }: Pick<FilePorts, 'store'>, kind: MediaKind, path: string): Promise<MeasuredFile> {
  const measured = await measureFile(path)
  await store.put({ kind, sha256: measured.sha256 }, path)
  return { path, ...measured }
}

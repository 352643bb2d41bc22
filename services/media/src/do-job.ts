import { stat } from 'node:fs/promises'
import type { MediaEvent, MediaJob, MediaTags, stamp } from '@skipcast/contracts'
import { measureFile } from '@skipcast/media-store'
import { AppError, isAppError } from '@skipcast/runtime'
import { formatOf } from './domain/file-facts.ts'
import { fileOf, importFile, keepCover, keepFile, type FilePorts, type MeasuredFile } from './import-file.ts'
import type { AirFormat, Dress, Workplace } from './ports.ts'

/** What is told of a job; whoever tells it adds the envelope and the ids. */
export type Told = Fields<MediaEvent>
type Fields<E> = E extends MediaEvent ? Omit<E, keyof ReturnType<typeof stamp> | 'media_id' | 'channel_id' | 'job_id'> : never
type Outcome = Exclude<Told, { event: 'media_progress' | 'media_failed' | 'artwork_failed' }>

/**
 * Does one job, from the store to the store; resolves to what is told of it. Done twice it gives the same. Rejects with UNPROCESSABLE for what is the
 * file's fault, and as the store does.
 */
export async function doJob(
  ports: FilePorts,
  workplace: Workplace,
  job: MediaJob,
  onProgress: (percent: number) => void,
): Promise<Outcome> {
  const original = await fetchOriginal(ports, workplace, job.original)
  switch (job.event) {
    case 'import_media':
      return { event: 'media_ready', ...(await importFile(ports, workplace, original, airOf(job), onProgress)) }
    case 'derive_media': {
      const derived = await deriveFile(ports, workplace, original, job, (percent) => onProgress(percent / 2))
      const made = await importFile(ports, workplace, derived, airOf(job), (percent) => onProgress(50 + percent / 2))
      await ports.store.put({ kind: 'originals', sha256: derived.sha256 }, derived.path)
      return { event: 'media_ready', ...made, tags: told(job.tags), cover: job.cover }
    }
    case 'retag_media': {
      const path = workplace.path('retagged')
      const file = await ports.tools.probe(original.path)
      await ports.tools.retag(original.path, path, file, await dressOf(ports, workplace, job))
      const facts = await ports.tools.probe(path)
      const kept = await keepFile(ports, 'originals', path)
      return { event: 'media_retagged', file: fileOf(kept, facts) }
    }
    case 'make_cover':
      return { event: 'cover_made', cover: await keepCover(ports, workplace, original.path) }
    case 'make_artwork':
      return { event: 'artwork_made', artwork: await keepCover(ports, workplace, original.path) }
    default:
      return job satisfies never
  }
}

type DeriveJob = Extract<MediaJob, { event: 'derive_media' }>

async function deriveFile(
  ports: FilePorts,
  workplace: Workplace,
  original: MeasuredFile,
  job: DeriveJob,
  onProgress: (percent: number) => void,
): Promise<MeasuredFile> {
  const { durationMs, codec } = await ports.tools.probe(original.path)
  const fromMs = job.from_ms ?? null
  const toMs = job.to_ms ?? null
  const lengthMs = Math.max(1, (toMs ?? durationMs) - (fromMs ?? 0))
  const path = workplace.path('derived')
  const wish = { ...(await dressOf(ports, workplace, job)), format: job.format ?? formatOf(codec), fromMs, toMs }
  await ports.tools.derive(original.path, path, wish, (madeMs) => onProgress(Math.min(99, (100 * madeMs) / lengthMs)))
  return { path, ...(await measureFile(path)) }
}

async function fetchOriginal({ store }: FilePorts, workplace: Workplace, sha256: string): Promise<MeasuredFile> {
  const path = workplace.path('original')
  await store.fetchTo({ kind: 'originals', sha256 }, path).catch(refuseMissing)
  return { path, sha256, sizeBytes: (await stat(path)).size }
}

async function dressOf(
  { store }: FilePorts,
  workplace: Workplace,
  job: { tags: MediaTags; cover: string | null },
): Promise<Dress> {
  if (job.cover === null) return { tags: job.tags, coverPath: null }
  const coverPath = workplace.path('own-cover')
  await store.fetchTo({ kind: 'covers', sha256: job.cover }, coverPath).catch(refuseMissing)
  return { tags: job.tags, coverPath }
}

/** It was there when the job was asked for: it does not come back by waiting. */
function refuseMissing(cause: unknown): never {
  if (!isAppError(cause, 'MEDIA_MISSING')) throw cause
  throw new AppError('UNPROCESSABLE', 'The file of this piece is not in the media store any more. Upload it again.', { cause })
}

function airOf({ air }: { air: { bitrate_kbps: number; sample_rate: number } }): AirFormat {
  return { bitrateKbps: air.bitrate_kbps, sampleRate: air.sample_rate }
}

/** The tags that were asked for, as a file tells them. */
function told({ title, artist, album, genre, year, track }: MediaTags) {
  return { title, artist, album, genre, date: year, ...(track !== null && { track: `${track}` }) }
}

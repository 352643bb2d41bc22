import type { Media } from '@skipcast/db'
import { measureFile } from '@skipcast/media-store'
import { originalName, readTags } from './domain/tags.ts'
import type { ApiPorts } from './ports.ts'

/**
 * Takes in an uploaded file: to disk as it comes, looked at, made into an air file (the one format that is sent, without tags), stored by
 * its content. The upload itself is not kept. Whatever goes wrong, nothing of it stays.
 * Rejects with TOO_LARGE, NO_SPACE, UNPROCESSABLE, TOO_MANY_REQUESTS, DATABASE_UNAVAILABLE, and with what `bytes` fail with.
 */
export async function importMedia(
  { stores, audio, incomingFiles, mediaStore, settings }: ApiPorts,
  upload: { ownerId: string; fileName: string; bytes: AsyncIterable<Buffer> },
): Promise<Media> {
  await using incoming = incomingFiles.receive()
  const original = await incoming.write(upload.bytes, settings.mediaMaxBytes)
  const { tags } = await audio.probe(incoming.path)
  const { durationMs, sound } = await audio.convert(incoming.path, incoming.airPath)
  const { sha256, sizeBytes } = await measureFile(incoming.airPath)
  const name = originalName(upload.fileName)
  const record = {
    ownerId: upload.ownerId,
    ...readTags(tags, name),
    sha256,
    sizeBytes,
    durationMs,
    loudnessLufs: sound.loudnessLufs,
    peakDbfs: sound.peakDbfs,
    cueInMs: sound.fromMs,
    cueOutMs: sound.toMs,
    originalName: name,
    originalSha256: original.sha256,
  }
  return await stores.media.add(record, () => mediaStore.put({ kind: 'air', sha256 }, incoming.airPath))
}

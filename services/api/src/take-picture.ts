import type { ApiPorts } from './ports.ts'

/** Longest side, format and all else of a picture are the worker's to judge; so much is taken of it. */
export const MOST_PICTURE_BYTES = 2 * 1024 ** 2

/**
 * Takes in a picture as it comes, and puts it into the media store (kind `originals`), for a job to make something of it; resolves to its hash. Rejects with
 * TOO_LARGE, NO_SPACE, STORE_UNAVAILABLE, and with what `bytes` fail with.
 */
export async function takePicture(
  { incomingFiles, mediaStore }: Pick<ApiPorts, 'incomingFiles' | 'mediaStore'>,
  bytes: AsyncIterable<Buffer>,
): Promise<string> {
  await using incoming = incomingFiles.receive()
  const { sha256 } = await incoming.write(bytes, MOST_PICTURE_BYTES)
  await mediaStore.put({ kind: 'originals', sha256 }, incoming.path)
  return sha256
}

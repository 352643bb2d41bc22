import type { ApiPorts } from './ports.ts'
import { reserveRoom } from './reserve-room.ts'

/** Longest side, format and all else of a picture are the worker's to judge; so much is taken of it. */
export const MOST_PICTURE_BYTES = 2 * 1024 ** 2

/**
 * Takes in a picture as it comes, and puts it into the media store (kind `originals`), for a job to make something of it; resolves to its hash. Nothing names it there, so
 * that it goes with the sweep: until then it counts among what `ownerId` may have. Rejects with TOO_LARGE, QUOTA_EXCEEDED, NO_SPACE, STORE_UNAVAILABLE,
 * DATABASE_UNAVAILABLE, and with what `bytes` fail with.
 */
export async function takePicture(
  ports: Pick<ApiPorts, 'stores' | 'settings' | 'incomingFiles' | 'mediaStore'>,
  ownerId: string,
  bytes: AsyncIterable<Buffer>,
): Promise<string> {
  await using incoming = ports.incomingFiles.receive()
  const { sha256, sizeBytes } = await incoming.write(bytes, MOST_PICTURE_BYTES)
  await using room = new AsyncDisposableStack()
  room.use(await reserveRoom(ports, ownerId, { kind: 'picture', sizeBytes }))
  await ports.mediaStore.put({ kind: 'originals', sha256 }, incoming.path)
  room.move()
  return sha256
}

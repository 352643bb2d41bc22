import { setTimeout as sleep } from 'node:timers/promises'
import type { IcecastAdmin } from './ports.ts'

const ASK_AGAIN_MS = 3

/**
 * Frees a mount, for a newcomer who waits for the answer: Icecast looks whether the mount is busy only after that.
 * Resolves when the mount has no source any more. Rejects with ICECAST_UNAVAILABLE or the signal's reason.
 */
export async function makeRoom(admin: Pick<IcecastAdmin, 'kill'>, mount: string, signal: AbortSignal): Promise<void> {
  while ((await admin.kill(mount, signal)) !== 'absent') await sleep(ASK_AGAIN_MS, undefined, { signal })
}

import { waitFor } from '@skipcast/runtime'
import type { Listener } from '@skipcast/testing'

/** Longest wait for a programme, in ms: beyond it a start has failed. */
const TIMEOUT_MS = 30_000

/**
 * Waits for the first frame after `mark` that is not digital silence (filler is), and tells when it arrived.
 * Rejects with TIMEOUT.
 */
export async function firstSoundSince(listener: Listener, mark: number): Promise<number> {
  const isSound = () => listener.framesSince(mark).find((frame) => !frame.silent)
  const frame = await waitFor(`sound from ${listener.url}`, isSound, { timeoutMs: TIMEOUT_MS, everyMs: 5 })
  return frame.at
}

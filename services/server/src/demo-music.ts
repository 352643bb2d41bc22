import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { runCommand } from '@skipcast/runtime'
import { compositions } from './demo-music/compositions.ts'
import { SAMPLE_RATE } from './demo-music/mix.ts'

const ARTIST = 'Skipcast'
const ALBUM = 'First Sounds'
const ENCODE_TIMEOUT_MS = 60_000

/**
 * Writes the music of the demo channel, composed and synthesised here, as tagged FLAC files (44.1 kHz, stereo, 16 bits, -16 LUFS, about
 * 75 s each) and returns their paths in playing order. Replaces what stands there. About 8 s of one core, in a thread of its own.
 * Rejects when ffmpeg is missing or fails.
 */
export async function synthesiseDemoMusic(directory: string, onProgress: (text: string) => void): Promise<string[]> {
  const paths: string[] = []
  for (const [index, { title, fileName }] of compositions.entries()) {
    onProgress(`playing "${title}" for the demo channel (${index + 1} of ${compositions.length})`)
    const path = join(directory, fileName)
    await encode(await renderInThread(index), path, { title, track: index + 1 })
    paths.push(path)
  }
  return paths
}

/** Synthesis keeps a core busy for seconds: the process that also serves listeners must not wait for it. */
async function renderInThread(index: number): Promise<Buffer> {
  const worker = new Worker(new URL('./demo-music/render-worker.ts', import.meta.url), { workerData: index })
  const [samples] = (await once(worker, 'message')) as [Int16Array]
  return Buffer.from(samples.buffer)
}

async function encode(input: Buffer, path: string, tags: { title: string; track: number }): Promise<void> {
  const source = ['-f', 's16le', '-ar', `${SAMPLE_RATE}`, '-ac', '2', '-i', 'pipe:0']
  const metadata = { ...tags, artist: ARTIST, album: ALBUM }
  const tagged = Object.entries(metadata).flatMap(([name, value]) => ['-metadata', `${name}=${value}`])
  const args = ['-v', 'error', '-y', ...source, ...tagged, '-c:a', 'flac', `file:${path}`]
  await runCommand('ffmpeg', args, { timeoutMs: ENCODE_TIMEOUT_MS, input })
}

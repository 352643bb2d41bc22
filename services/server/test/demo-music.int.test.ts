import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCommand } from '@skipcast/runtime'
import { compositions } from '../src/demo-music/compositions.ts'
import { synthesiseDemoMusic } from '../src/demo-music.ts'

let directory: string
let paths: string[]
const progress: string[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-demo-music-'))
  paths = await synthesiseDemoMusic(directory, (text) => progress.push(text))
}, 60_000)
afterAll(() => rm(directory, { recursive: true }))

async function probe(path: string) {
  const entries = 'stream=codec_name,sample_rate,channels:format=duration:format_tags'
  const { stdout } = await runCommand('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path], {
    timeoutMs: 10_000,
  })
  return JSON.parse(stdout.toString()) as {
    streams: { codec_name: string; sample_rate: string; channels: number }[]
    format: { duration: string; tags: Record<string, string> }
  }
}

/** Integrated loudness and true peak, by ffmpeg's own meter. */
async function measure(path: string): Promise<{ lufs: number; peakDbfs: number }> {
  const args = ['-nostats', '-hide_banner', '-i', path, '-af', 'ebur128=peak=true', '-f', 'null', '-']
  const { stderr } = await runCommand('ffmpeg', args, { timeoutMs: 60_000 })
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'))
  return { lufs: Number(/I:\s+(-?[\d.]+) LUFS/.exec(summary)![1]), peakDbfs: Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(summary)![1]) }
}

test('four tracks of 60 to 90 seconds, stereo at 44.1 kHz, tagged, told as they come', async () => {
  expect(paths).toHaveLength(4)
  expect(progress).toHaveLength(4)
  for (const [index, path] of paths.entries()) {
    const { streams, format } = await probe(path)
    expect(streams[0]).toMatchObject({ codec_name: 'flac', sample_rate: '44100', channels: 2 })
    expect(Number(format.duration)).toBeGreaterThan(60)
    expect(Number(format.duration)).toBeLessThan(90)
    const tags = Object.fromEntries(Object.entries(format.tags).map(([name, value]) => [name.toLowerCase(), value]))
    expect(tags).toMatchObject({ title: compositions[index]!.title, artist: 'Skipcast', album: 'First Sounds' })
  }
}, 30_000)

test('all are equally loud, and none clips', async () => {
  for (const path of paths) {
    const { lufs, peakDbfs } = await measure(path)
    expect(Math.abs(lufs - -16)).toBeLessThan(0.3)
    expect(peakDbfs).toBeLessThan(-1)
  }
}, 60_000)

test('a track is the same every time, and its file loses nothing', async () => {
  const worker = new Worker(new URL('../src/demo-music/render-worker.ts', import.meta.url), { workerData: 1 })
  const [samples] = (await once(worker, 'message')) as [Int16Array]
  const { stdout } = await runCommand('ffmpeg', ['-v', 'error', '-i', paths[1]!, '-f', 's16le', 'pipe:1'], { timeoutMs: 30_000 })
  expect(stdout.equals(Buffer.from(samples.buffer))).toBe(true)
}, 60_000)

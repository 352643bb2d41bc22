import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCommand } from '@skipcast/runtime'
import { compositions, render } from '../src/demo-music/compositions.ts'
import { synthesiseDemoMusic } from '../src/demo-music.ts'

let directory: string
let paths: string[]
const progress: string[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-demo-music-'))
  paths = await synthesiseDemoMusic(directory, (text) => progress.push(text))
}, 120_000)
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

test('a track is the same every time', () => {
  const digest = () => createHash('sha256').update(render(compositions[1]!)).digest('hex')
  expect(digest()).toBe(digest())
}, 60_000)

import { access, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { childUser, runCommand } from '@skipcast/runtime'
import { temporaryHome, toneFile } from '../src/index.ts'

async function probe(path: string) {
  const entries = 'stream=codec_name,sample_rate,channels,bit_rate:format=duration:format_tags=title,artist'
  const { stdout } = await runCommand('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path], {
    timeoutMs: 10_000,
  })
  const { streams, format } = JSON.parse(stdout.toString()) as {
    streams: { codec_name: string; sample_rate: string; channels: number; bit_rate: string }[]
    format: { duration: string; tags?: Record<string, string> }
  }
  return { ...streams[0]!, seconds: Number(format.duration), tags: format.tags }
}

test('toneFile writes an MP3 as ordered, tags and all', async () => {
  await using home = await temporaryHome()
  const hostile = `#{process.run("touch canary")}; -y /dev/null`
  const path = await toneFile(join(home.path, 'a.mp3'), {
    frequencyHz: 440,
    seconds: 2,
    channels: 1,
    bitrateKbps: 64,
    title: hostile,
    artist: 'Ä',
  })
  expect(await probe(path)).toMatchObject({
    codec_name: 'mp3',
    sample_rate: '44100',
    channels: 1,
    bit_rate: '64000',
    tags: { title: hostile, artist: 'Ä' },
  })
  expect((await probe(path)).seconds).toBeCloseTo(2, 0)
})

test('toneFile writes other formats by the ending of the path', async () => {
  await using home = await temporaryHome()
  const path = await toneFile(join(home.path, 'a.wav'), { frequencyHz: 440, seconds: 0.5, sampleRate: 48_000 })
  expect(await probe(path)).toMatchObject({ codec_name: 'pcm_s16le', sample_rate: '48000', channels: 2, seconds: 0.5 })
})

test('a temporary home lets other users pass through, keeps what is its own, and is gone at the end', async () => {
  let path: string
  {
    await using home = await temporaryHome()
    path = home.path
    expect((await stat(path)).mode & 0o777).toBe(0o711)
    const user = childUser()
    const shared = await home.directory('shared', { owner: user })
    await writeFile(join(shared, 'file'), 'x', { mode: 0o644 })
    const { stdout } = await runCommand('cat', [join(shared, 'file')], { timeoutMs: 5000, user })
    expect(stdout.toString()).toBe('x')
  }
  await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

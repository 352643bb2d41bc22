import { describe, expect, test } from '@jest/globals'
import { runCommand } from '@skipcast/runtime'
import { mp3FrameReader, silentFrames } from '../src/index.ts'

const ffmpeg = (args: readonly string[], input?: Buffer) =>
  runCommand('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'warning', ...args], { timeoutMs: 30_000, ...(input && { input }) })

/** CBR by lame, of a source that ffmpeg synthesises; no Xing header, no tags: frames only. */
async function mp3(source: string, format: { kbps: number; rate: number; channels: number }): Promise<Buffer> {
  const input = ['-f', 'lavfi', '-i', source]
  const encoder = ['-ar', `${format.rate}`, '-ac', `${format.channels}`, '-c:a', 'libmp3lame', '-b:a', `${format.kbps}k`]
  const { stdout } = await ffmpeg([...input, ...encoder, '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3', 'pipe:1'])
  return stdout
}

/** A tone at this level: ffmpeg's `sine` has an amplitude of 1/8, that is -18.06 dBFS. */
const tone = (dbfs: number) => `sine=frequency=440:sample_rate=44100:duration=3,volume=${dbfs + 18.06}dB`
const silence = 'anullsrc=sample_rate=44100:duration=3'

/** Frames with a decoder's own count of them beside it. */
async function countOf(bytes: Buffer): Promise<number> {
  const args = ['-v', 'error', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', 'pipe:0']
  const { stdout } = await runCommand('ffprobe', args, { timeoutMs: 30_000, input: bytes })
  return Number.parseInt(stdout.toString(), 10)
}

const formats = [
  { name: '128k 44.1 kHz stereo', kbps: 128, rate: 44_100, channels: 2 },
  { name: '128k 44.1 kHz mono', kbps: 128, rate: 44_100, channels: 1 },
  { name: '192k 48 kHz stereo', kbps: 192, rate: 48_000, channels: 2 },
  { name: '64k 22.05 kHz stereo (MPEG-2)', kbps: 64, rate: 22_050, channels: 2 },
  { name: '32k 22.05 kHz mono (MPEG-2)', kbps: 32, rate: 22_050, channels: 1 },
  { name: '24k 11.025 kHz mono (MPEG-2.5)', kbps: 24, rate: 11_025, channels: 1 },
]

describe.each(formats)('an MP3 of $name', (format) => {
  test('comes apart into all of its frames, with what their headers say', async () => {
    const bytes = await mp3(tone(-12), format)
    const reader = mp3FrameReader()
    const frames = reader.push(bytes)
    expect(frames).toHaveLength((await countOf(bytes)) - 1) // nothing follows the last one
    expect(reader.skippedBytes).toBe(0)
    for (const { bitrateKbps, sampleRate, channels, silent } of frames.slice(2, -3)) {
      expect({ bitrateKbps, sampleRate, channels, silent }).toEqual({
        bitrateKbps: format.kbps,
        sampleRate: format.rate,
        channels: format.channels,
        silent: false,
      })
    }
    const playsMs = frames.reduce((sum, frame) => sum + frame.durationMs, 0)
    expect(Math.abs(playsMs - 3000)).toBeLessThan(3 * frames[0]!.durationMs) // an encoder adds its delay and fills the last frame
  })

  test('of digital silence is silent in every frame', async () => {
    const frames = mp3FrameReader().push(await mp3(silence, format))
    expect(frames.length).toBeGreaterThan(50)
    expect(frames.filter((frame) => !frame.silent)).toEqual([])
  })

  test('of a tone at -50 dBFS is not silent', async () => {
    const frames = mp3FrameReader().push(await mp3(tone(-50), format))
    expect(frames.slice(2, -3).filter((frame) => frame.silent)).toEqual([])
  })
})

test('a stream that is cut and joined in the middle of frames costs one resync a cut', async () => {
  const bytes = await mp3(tone(-12), formats[0]!)
  const joined = Buffer.concat([bytes.subarray(150, 20_000), bytes.subarray(30_100, 41_000), bytes.subarray(7_777)])
  const reader = mp3FrameReader()
  const frames = reader.push(joined)
  expect(reader.resyncs).toBe(2)
  expect(frames.length).toBeGreaterThan(joined.length / 418 - 7)
  expect(new Set(frames.map((frame) => frame.bitrateKbps))).toEqual(new Set([128]))
})

test.each([
  { bitrateKbps: 128, sampleRate: 44_100 },
  { bitrateKbps: 192, sampleRate: 48_000 },
  { bitrateKbps: 32, sampleRate: 32_000 },
])(
  'silent frames of $bitrateKbps kbit/s at $sampleRate Hz decode without a warning to digital silence of the right length',
  async (format) => {
    const source = silentFrames(format)
    const count = 500
    const bytes = Buffer.concat(Array.from({ length: count }, () => source.next()))
    const { stdout, stderr } = await ffmpeg(['-f', 'mp3', '-i', 'pipe:0', '-f', 's16le', 'pipe:1'], bytes)
    expect(stderr).toBe('')
    expect(stdout).toHaveLength(count * 1152 * 4)
    expect(stdout.equals(Buffer.alloc(stdout.length))).toBe(true)
  },
)

test('silent frames between frames of music leave both readable', async () => {
  const music = mp3FrameReader().push(await mp3(tone(-12), formats[0]!))
  const source = silentFrames({ bitrateKbps: 128, sampleRate: 44_100 })
  const silent = Array.from({ length: 40 }, () => source.next())
  const mixed = Buffer.concat([...music.map((frame) => frame.data), ...silent, ...music.map((frame) => frame.data)])
  const reader = mp3FrameReader()
  expect(reader.push(mixed).filter((frame) => frame.silent).length).toBeGreaterThanOrEqual(silent.length)
  expect(reader.skippedBytes).toBe(0)
})

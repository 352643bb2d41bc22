import { openAsBlob } from 'node:fs'
import { join } from 'node:path'
import { runCommand, waitFor } from '@skipcast/runtime'
import { apiClient, startSkipcast, summarise, temporaryHome, untilReady, type ApiClient } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import { alternately, repeat } from './rounds.ts'
import { table } from './table.ts'

const READY_TIMEOUT_MS = 30 * 60_000
const FFMPEG_TIMEOUT_MS = 10 * 60_000
const BITRATE_KBPS = 128

export const readyToAir: Benchmark<{ seconds: number; rounds: number }> = {
  name: 'ready-to-air',
  summary:
    'a piece of music from the first byte of its upload until it can be played, beside bare ffmpeg doing what must be done',
  settings: { seconds: 240, rounds: 5 },
  async run({ seconds, rounds }, say) {
    await using home = await temporaryHome()
    await using server = await startSkipcast(home.path, {})
    await untilReady(server)
    const api = await apiClient(server.apiUrl, home.path)
    let count = 0
    /** No two are the same. */
    const nextFile = async () => {
      const path = join(home.path, `${(count += 1)}.flac`)
      const noise = `anoisesrc=c=pink:a=0.3:r=44100:d=${seconds}:seed=${count}`
      await ffmpeg(['-f', 'lavfi', '-i', noise, '-ac', '2', '-y', path])
      return path
    }
    await importOne(api, await nextFile()) // the first is slower everywhere

    say(`${rounds} pieces of ${seconds} s, by turns`)
    const bare = alternately(rounds, rounds, async () => bareConversion(await nextFile()))
    const ours = await repeat(rounds, () => bare.after(async () => importOne(api, await nextFile())))
    const [us, them] = [summarise(ours), summarise(await bare.results())]
    return table(
      ['what', 'n', 'p50, ms', 'p99, ms', 'times bare ffmpeg (p50)'],
      [
        [
          'upload → ready (by form, job by Kafka)',
          `${rounds}`,
          us.p50.toFixed(0),
          us.p99.toFixed(0),
          (us.p50 / them.p50).toFixed(2),
        ],
        ['bare ffmpeg: MP3 and loudness at once', `${rounds}`, them.p50.toFixed(0), them.p99.toFixed(0), '1'],
      ],
    )
  },
}

/** How long it takes until the API says that the piece is ready. */
async function importOne(api: ApiClient, path: string): Promise<number> {
  const form = new FormData()
  form.set('media_file', await openAsBlob(path), 'noise.flac')
  const startedAt = performance.now()
  const { id } = (await api.call('POST', '/api/media/upload', form)).body as { id: string }
  await untilPlayable(api, id)
  return performance.now() - startedAt
}

/** Resolves, once the API says that a piece is ready, to how long that took from now on, in ms. */
export async function untilPlayable(api: ApiClient, mediaId: string): Promise<number> {
  const startedAt = performance.now()
  const isReady = async () => ((await api.call('GET', `/api/media/${mediaId}`)).body as { state: string }).state === 'ready'
  await waitFor('the piece to be ready', isReady, { timeoutMs: READY_TIMEOUT_MS, everyMs: 20 })
  return performance.now() - startedAt
}

/** What nobody can do without: the file that is sent, and how loud it is. */
async function bareConversion(path: string): Promise<number> {
  const startedAt = performance.now()
  const sent = ['-map', '0:a', '-c:a', 'libmp3lame', '-b:a', `${BITRATE_KBPS}k`, '-y', `${path}.mp3`]
  await ffmpeg(['-i', path, ...sent, '-map', '0:a', '-af', 'ebur128=peak=sample', '-f', 'null', '-'])
  return performance.now() - startedAt
}

async function ffmpeg(args: readonly string[]): Promise<void> {
  await runCommand('ffmpeg', ['-nostdin', '-v', 'error', ...args], { timeoutMs: FFMPEG_TIMEOUT_MS })
}

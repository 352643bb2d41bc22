import { access, chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { childUser, waitFor } from '@skipcast/runtime'
import { toneFile } from '@skipcast/testing'
import { ffmpeg } from '../src/adapters/ffmpeg.ts'
import type { ConfinedOptions, ToolLimits } from '../src/adapters/ffmpeg/confined.ts'
import { AIR, testMedia, type TestMedia } from './test-media.ts'

let given: TestMedia
let running: AsyncDisposable | undefined
let tone: string

beforeAll(async () => {
  given = await testMedia()
  tone = await toneFile(join(given.path, 'tone.flac'), { frequencyHz: 440, seconds: 2 })
}, 60_000)

afterAll(async () => {
  await running?.[Symbol.asyncDispose]()
  await given[Symbol.asyncDispose]()
})

/** What stands for one of the programs. */
const program = async (name: string, text: string) => {
  const path = join(given.path, name)
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return path
}
const withTools = async (programs: NonNullable<ConfinedOptions['programs']>, limits: ToolLimits) => {
  await running?.[Symbol.asyncDispose]()
  const stop = new AbortController()
  const made = ffmpeg({ user: childUser(), stop: stop.signal, programs, limits })
  const media = await given.start({ tools: made })
  running = {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await media[Symbol.asyncDispose]()
    },
  }
}
const ask = async () => given.ask({ event: 'import_media', original: await given.keep(tone), air: AIR })
const real = { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' }
const soon: ToolLimits = { mostMs: 30_000, silenceMs: 1000 }

test.each<[string, string, RegExp]>([
  ['ffmpeg crash', 'kill -SEGV $$', /can not be decoded/],
  ['ffmpeg hang without a word', 'exec sleep 1000', /can not be decoded/],
  ['ffmpeg hang in the middle', 'echo out_time_us=1000; exec sleep 1000', /can not be decoded/],
])('a file that makes %s is refused, at the first attempt, and nothing is left of it', async (what, text, said) => {
  await withTools({ ...real, ffmpeg: await program(what.replaceAll(' ', '-'), text) }, soon)
  const id = await ask()
  expect(await given.ended(id)).toMatchObject({ event: 'media_failed', problem: expect.stringMatching(said) })
  await waitFor('the work to be cleared away', async () => (await given.workFiles()).length === 0, { timeoutMs: 5000 })
  expect(given.events.filter((event) => event.job_id === id && event.event === 'media_failed')).toHaveLength(1)
  expect(given.bus.deadLetters('mediaJobs')).toEqual([])
})

test('a file that makes ffprobe hang is refused once its time is over', async () => {
  await withTools({ ...real, ffprobe: await program('probe', 'exec sleep 1000') }, { ...soon, mostMs: 1000 })
  expect(await given.ended(await ask())).toMatchObject({
    event: 'media_failed',
    problem: expect.stringMatching(/no audio file/),
  })
})

test('a file that makes a program hang holds up only what waits for the same piece, or chance put behind it', async () => {
  const poison = join(given.path, 'poison')
  await writeFile(poison, '')
  const first = await program('once', `if rm ${poison} 2> /dev/null; then exec sleep 1000; fi; exec ffprobe "$@"`)
  await chmod(given.path, 0o777) // for the unprivileged user, who takes the poison away
  await withTools({ ...real, ffprobe: first }, { mostMs: 60_000, silenceMs: 60_000 })
  const stuck = await ask()
  const isTaken = () =>
    access(poison).then(
      () => false,
      () => true,
    )
  await waitFor('the poison to work', isTaken, { timeoutMs: 10_000 })
  const others = [await ask(), await ask(), await ask()]
  const endedOf = (ids: string[]) => given.events.filter((event) => ids.includes(event.job_id) && event.event === 'media_ready')
  await waitFor('another', () => endedOf(others).length > 0, { timeoutMs: 50_000 })
  expect(given.events.some((event) => event.job_id === stuck && event.event !== 'media_progress')).toBe(false)
  await running![Symbol.asyncDispose]()
  running = await given.start()
  expect((await given.ended(stuck)).event).toBe('media_ready')
}, 90_000)

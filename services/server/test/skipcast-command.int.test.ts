import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { startSkipcast, temporaryHome, toneFile, untilReady, type SkipcastProcess } from '@skipcast/testing'

const SKIPCAST = fileURLToPath(new URL('../src/skipcast.ts', import.meta.url))

let home: Awaited<ReturnType<typeof temporaryHome>>
let skipcast: SkipcastProcess
let files: string

beforeAll(async () => {
  home = await temporaryHome()
  files = join(home.path, 'files')
  await mkdir(files)
  await toneFile(join(files, 'tone.flac'), { frequencyHz: 440, seconds: 30, title: 'A tone', artist: 'Test' })
  await writeFile(join(files, 'letter.mp3'), 'Dear listener,')
  skipcast = await startSkipcast(home.path)
  await untilReady(skipcast)
}, 180_000)

afterAll(async () => {
  await skipcast?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
}, 60_000)

function start(words: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [SKIPCAST, ...words], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...skipcast.environment, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const result = { code: null as number | null, out: '', err: '' }
  child.stdout.on('data', (chunk) => (result.out += String(chunk)))
  child.stderr.on('data', (chunk) => (result.err += String(chunk)))
  const ended = new Promise<typeof result>((resolve) => child.once('close', (code) => resolve({ ...result, code })))
  return { child, result, ended }
}
const run = (words: readonly string[], variables?: Readonly<Record<string, string>>) => start(words, variables).ended

describe('channels and media', () => {
  test('from nothing to a channel on air, by commands alone', async () => {
    const none = await run(['channels', 'list'])
    expect(none).toMatchObject({ code: 0, out: '' })
    expect(none.err).toContain('channels create')

    const made = await run(['channels', 'create', 'Night Radio', '--slug', 'night', '--genre', 'Jazz'])
    expect(made).toMatchObject({ code: 0 })
    expect(made.out).toMatch(/^night {2}[0-9a-f-]{36}\n$/)
    expect(await run(['channels', 'create', 'Night Radio', '--slug', 'night'])).toMatchObject({ code: 1 })

    const empty = await run(['channels', 'start', 'night'])
    expect(empty).toMatchObject({ code: 1, out: '' })

    const watching = start(['channels', 'watch', 'night'])
    await waitFor('the first line', () => watching.result.out.includes('off'), { timeoutMs: 10_000 })

    const added = await run(['media', 'add', join(files, 'letter.mp3'), join(files, 'tone.flac'), '--channel', 'night'])
    expect(added.code).toBe(1)
    expect(added.out).toMatch(/^[0-9a-f-]{36} {2}Test - A tone\n$/)
    expect(added.err).toContain('tone.flac: 100 %')
    expect(added.err).toMatch(/letter\.mp3: .*(audio|music|read)/i)
    expect(added.err).toContain('1 of 2 on the playlist of night')

    expect(await run(['channels', 'start', 'night'])).toMatchObject({ code: 0 })
    await waitFor('on air', () => watching.result.out.includes('on_air'), { timeoutMs: 15_000 })
    const status = await run(['channels', 'status', 'night'])
    expect(status.code).toBe(0)
    expect(status.out).toMatch(/phase +on_air/)
    expect(JSON.parse((await run(['channels', 'status', 'night', '--json'])).out)).toMatchObject({ stream: { phase: 'on_air' } })

    expect(await run(['channels', 'stop', 'night'])).toMatchObject({ code: 0 })
    await waitFor('off again', () => /stopping|off/.test(watching.result.out.split('on_air').at(-1)!), { timeoutMs: 15_000 })
    watching.child.kill('SIGINT')
    expect(await watching.ended).toMatchObject({ code: 0, err: '' })
    expect((await run(['channels', 'list'])).out).toMatch(/^SLUG .*\nnight +off/)
  }, 90_000)

  test('what goes wrong is told in words, with what to do, and never with the token', async () => {
    const token = (await readFile(join(home.path, 'admin-token'), 'utf8')).trim()
    const cases = [
      await run(['channels', 'status', 'nobody']),
      await run(['media', 'add', join(files, 'nothing.mp3')]),
      await run(['media', 'add', join(files, 'tone.flac'), '--channel', 'nobody']),
      await run(['channels', 'create', 'two\nlines']),
      await run(['channels', 'create', 'x'], { SKIPCAST_TOKEN: `${token}x` }),
      await run(['channels', 'list'], { SKIPCAST_API: 'http://127.0.0.1:1' }),
    ]
    const said = [/channel/i, /nothing\.mp3.*no such file/, /channel/i, /name/, /SKIPCAST_TOKEN/, /npm start/]
    for (const [index, { code, out, err }] of cases.entries()) {
      expect(code).toBe(1)
      expect(out).toBe('')
      expect(err).toMatch(said[index]!)
      expect(err).not.toContain(token)
      expect(err).not.toContain('    at ')
    }
  }, 60_000)
})

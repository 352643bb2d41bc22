import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { runCommand, waitFor } from '@skipcast/runtime'
import { ownEnvironment, startSkipcast, temporaryHome, toneFile, untilReady, type SkipcastProcess } from '@skipcast/testing'

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
    env: { ...ownEnvironment(), ...skipcast.environment, ...variables },
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
  }, 180_000)

  test('what nothing names in the media store is told, and removed', async () => {
    const sha256 = 'a'.repeat(64)
    const orphan = join(home.path, 'media', 'covers', 'aa', sha256)
    await mkdir(dirname(orphan), { recursive: true })
    await writeFile(orphan, Buffer.alloc(1024 ** 2))
    const oneFile = (what: string) => ({ code: 0, out: `1 files, 1.0 MiB, ${what}\n`, err: '' })
    expect((await run(['media', 'sweep', '--dry-run'])).out).toBe('0 files, 0.0 MiB, would go\n')
    await utimes(orphan, new Date(0), new Date(0))
    expect(await run(['media', 'sweep', '--dry-run'])).toEqual(oneFile('would go'))
    expect(await run(['media', 'sweep'])).toEqual(oneFile('removed'))
    expect((await run(['media', 'sweep'])).out).toBe('0 files, 0.0 MiB, removed\n')
  })

  test('servers are listed, emptied and filled, and a channel says where it is, by commands alone', async () => {
    const made = await run(['channels', 'create', 'Wanderer', '--slug', 'wanderer'])
    expect(made.code).toBe(0)
    const [{ id: server }] = JSON.parse((await run(['servers', 'list', '--json'])).out) as [{ id: string }]
    expect((await run(['servers', 'list'])).out).toMatch(/^SERVER .*\n\S+ +open/)
    expect((await run(['servers', 'drain', server])).out).toBe(`${server}: draining, with 0 channels\n`)
    const refused = await run(['channels', 'move', 'wanderer', server])
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('it is being emptied')])
    expect((await run(['servers', 'undrain', server])).out).toBe(`${server}: open, with 0 channels\n`)
    expect((await run(['channels', 'move', 'wanderer', server, '--at', 'never'])).code).toBe(2)
    expect((await run(['channels', 'move', 'wanderer', server, '--at', 'track_end'])).code).toBe(0)
    expect((await run(['channels', 'explain', 'wanderer'])).out).toMatch(/because +Somebody moved it here\./)
    const placed = await run([
      'channels',
      'place',
      'wanderer',
      '--replicas',
      '2',
      '--labels',
      'region=eu,disk=ssd',
      '--pin',
      server,
    ])
    expect(placed.out).toMatch(
      new RegExp(`second +none yet\n.*\nneeds +(disk=ssd, region=eu|region=eu, disk=ssd)\npinned to +${server}\n`),
    )
    expect((await run(['channels', 'place', 'wanderer', '--labels', '', '--pin', ''])).out).toMatch(
      /needs +no label\npinned to +nothing/,
    )
    for (const wrong of [[], ['--replicas', '3'], ['--labels', 'eu']])
      expect((await run(['channels', 'place', 'wanderer', ...wrong])).code).toBe(2)
    const upgraded = await run([
      'servers',
      'upgrade',
      server,
      '--',
      process.execPath,
      '-e',
      'console.log("done"); process.exit(7)',
    ])
    expect([upgraded.code, upgraded.out]).toEqual([1, 'done\n'])
    expect(upgraded.err).toMatch(/is empty.*\n.* exit code 7\n.* takes channels again \(open\)/)
    expect((await run(['servers', 'drain', 'nobody'])).err).toContain('no such server')
  }, 180_000)

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
  }, 180_000)
})

describe('the machine', () => {
  test('doctor finds nothing wrong with a running Skipcast, and names what is wrong with another', async () => {
    const well = await run(['doctor'])
    expect(well.out).toMatch(/^ok .*Node 24/m)
    expect(well.out).toMatch(/^ok .*icecast2 2\./m)
    expect(well.out).toMatch(/^ok .*bus: well/m)
    expect(well.out).toMatch(/^ok .*database: well/m)
    expect(well).toMatchObject({ code: 0, err: '' })

    await chmod(join(home.path, 'admin-token'), 0o644)
    const ill = await run(['doctor'], { ICECAST_BIN: 'icecast-of-another-world', ICECAST_MAX_LISTENERS: '1000000' })
    await chmod(join(home.path, 'admin-token'), 0o600)
    expect(ill.code).toBe(1)
    expect(ill.out).toMatch(/problem {2}icecast-of-another-world is missing\n +→ .*apt-get install/)
    expect(ill.out).toMatch(/problem {2}open files/)
    expect(ill.out).toMatch(/problem {2}secrets that others may read: .*admin-token/)
    expect(ill.out).toContain('3 problem(s)')
  }, 180_000)
})

describe('Kafka and Icecast', () => {
  test('kafka:consume shows what comes, without source tokens; icecast:metrics --once shows and publishes a poll', async () => {
    await run(['channels', 'start', 'night'])
    const watching = start(['channels', 'watch', 'night'])
    await waitFor('on air', () => watching.result.out.includes('on_air'), { timeoutMs: 15_000 })
    watching.child.kill('SIGINT')
    const consuming = start(['kafka:consume', '--topic', 'skipcast-listener-metrics'])
    await waitFor('it to follow', () => consuming.result.err.includes('Following'), { timeoutMs: 20_000 })
    const polled = await run(['icecast:metrics', '--once'])
    expect(polled).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(polled.out)).toMatchObject({ event: 'listener_count_update', channel_slug: 'night', count: 0 })
    await waitFor('the message', () => consuming.result.out.includes('\n'), { timeoutMs: 20_000 })
    consuming.child.kill('SIGINT')
    const { code, out } = await consuming.ended
    expect(code).toBe(0)
    expect(out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]))[0]).toMatchObject({
      topic: 'skipcast-listener-metrics',
      value: { channel_slug: 'night' },
    })

    const commands = start(['kafka:consume', '--topic', 'streamCommands', '--from-beginning'])
    await waitFor('a command', () => commands.result.out.includes('start_stream'), { timeoutMs: 20_000 })
    commands.child.kill('SIGINT')
    expect((await commands.ended).out).toContain('"source_token":"[secret]"')
    await run(['channels', 'stop', 'night'])
  }, 180_000)

  test('dlq list and replay show a dead letter and put it back once', async () => {
    expect(await run(['dlq', 'list'])).toMatchObject({ code: 0, out: '', err: expect.stringContaining('no dead letters') })
    const port = (await readFile(join(home.path, 'ports', 'kafka'), 'utf8')).trim()
    const append = ['-P', '-b', `127.0.0.1:${port}`, '-t', 'skipcast-listener-metrics', '-k', 'some-channel']
    await runCommand('kcat', append, { timeoutMs: 20_000, input: Buffer.from('no JSON') })
    const list = async () => (await run(['dlq', 'list', '--topic', 'skipcast-listener-metrics'])).out
    const listed = await waitFor('the letter', async () => (await list()).includes('some-channel') && list(), {
      timeoutMs: 30_000,
    })
    expect(listed).toMatch(/skipcast-listener-metrics\/\d+@\d+ +skipcast-api +some-channel +no +the value is not JSON/)
    expect(await run(['dlq', 'replay', '--topic', 'listenerMetrics'])).toMatchObject({
      code: 0,
      out: 'skipcast-listener-metrics: 1 put back\n',
    })
    const again = await waitFor(
      'the letter to come back',
      async () => {
        const text = await list()
        return text.split('some-channel').length === 3 && text
      },
      { timeoutMs: 30_000 },
    )
    expect(again).toMatch(/ yes .*\n.* no /)
    expect(await run(['dlq', 'replay', '--topic', 'streamCommands'])).toMatchObject({ code: 1 })
    expect(await run(['dlq', 'list', '--topic', 'nonsense'])).toMatchObject({ code: 2 })
    expect(await run(['dlq', 'list'], { EVENT_BUS: 'memory' })).toMatchObject({ code: 1 })
  }, 120_000)

  test('a role that runs already is not run twice, and the one who has it is named', async () => {
    for (const words of [['up'], ['liquidsoap:command-consumer'], ['icecast:metrics']]) {
      const { code, err } = await run(words)
      expect(code).toBe(1)
      expect(err).toContain(`process ${skipcast.pid}`)
    }
  }, 180_000)
})

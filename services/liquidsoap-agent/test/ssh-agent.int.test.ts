import { createHash, randomBytes } from 'node:crypto'
import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { isAlive, runCommand, waitFor } from '@skipcast/runtime'
import { hears, openListener, temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { putFile } from '../src/adapters/ssh/put-file.ts'
import { sshLink, type SshLink } from '../src/adapters/ssh/ssh-link.ts'
import { enginesOf, rig, type Rig } from './agent-under-test.ts'
import { aStart } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast, type TestIcecast } from './test-icecast.ts'
import { testSshd, type TestSshd } from './test-sshd.ts'

// An agent whose only server is a host that is reached over SSH, up to the listener's ear.

const TIMEOUT_MS = 30_000
/** What the server of `LIQUIDSOAP_HOST` is called: as its host. */
const SERVER_ID = '127.0.0.1'
const quiet = { hostReached() {}, hostLost() {} }

let icecast: TestIcecast
let sshd: TestSshd
let home: TemporaryHome
let subject: Rig
let owned: AsyncDisposableStack

beforeAll(async () => {
  icecast = await testIcecast()
}, 60_000)
afterAll(async () => {
  await icecast[Symbol.asyncDispose]()
})
beforeEach(async () => {
  owned = new AsyncDisposableStack()
  sshd = owned.use(await testSshd())
  home = owned.use(await temporaryHome())
  subject = owned.use(
    rig(home, {
      ICECAST_PORT: `${icecast.port}`,
      AGENT_RESYNC_MS: '500',
      LIQUIDSOAP_HOST: SERVER_ID,
      LIQUIDSOAP_SSH_PORT: `${sshd.target.port}`,
      LIQUIDSOAP_SSH_USER: sshd.user,
      LIQUIDSOAP_SSH_KEY_PATH: sshd.keyFile,
      LIQUIDSOAP_SSH_HOST_KEY: sshd.hostKey,
    }),
  )
}, 60_000)
afterEach(async () => {
  await owned.disposeAsync()
}, 60_000)

/** How many heartbeats of the host were told. */
function heartbeats(): () => number {
  let count = 0
  const view = owned.use(subject.bus.watch('serverHeartbeats'))
  view.onChange((key) => {
    if (key === SERVER_ID) count += 1
  })
  return () => count
}

const onAir = (since = 0) =>
  subject.until('a', 'on air', (status) => status.phase === 'on_air' && status.since >= since, TIMEOUT_MS)
const want = async (overrides: Parameters<typeof aStart>[1] = {}) => {
  const tracks = [await subject.tone('low', { frequencyHz: 440, seconds: 4 })]
  await subject.want(aStart('a', { server_id: SERVER_ID, source_token: SOURCE_PASSWORD, tracks, ...overrides }))
}
const enginesThere = ({ root }: TestSshd) => readdir(join(root, 'engines'))
/** The one engine that holds a channel there. */
const holder = async () => {
  const ids = await readdir(join(sshd.root, 'engines'))
  for (const id of ids) if ((await readdir(join(sshd.root, 'engines', id, 'plans'))).length > 0) return sshd.engine(id)
  throw new Error('no engine holds a channel')
}

/** An engine holds nothing of the connection that started it, says no secret in its arguments, and leaves nothing that others may read. */
async function keepsToItself(pid: number): Promise<void> {
  const streams = await Promise.all([0, 1, 2].map((number) => readlink(`/proc/${pid}/fd/${number}`)))
  expect(streams).toEqual(['/dev/null', expect.stringMatching(/output\.log$/), expect.stringMatching(/output\.log$/)])
  const descriptors = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(descriptors.map((number) => readlink(`/proc/${pid}/fd/${number}`).catch(() => '')))
  const pipes = targets.filter((target) => target.startsWith('pipe:'))
  // Of its own pipes it has both ends.
  expect(pipes.filter((pipe) => pipes.filter((other) => other === pipe).length === 1)).toEqual([])
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [, session] = /\) \S \d+ \d+ (\d+)/.exec(stat)!
  expect(Number(session)).toBe(pid)
  for (const part of ['cmdline', 'environ']) expect(await readFile(`/proc/${pid}/${part}`, 'utf8')).not.toContain(SOURCE_PASSWORD)
  for (const name of await readdir(sshd.root, { recursive: true })) {
    const { mode } = await lstat(join(sshd.root, name))
    expect({ name, open: mode & 0o077 }).toEqual({ name, open: 0 })
  }
}

describe('a channel on a host that is reached over SSH', () => {
  test('is heard, plays on while the connection is lost, and is adopted again, by this agent and by the next', async () => {
    const agent = await subject.start()
    await want()
    await onAir()
    const engine = await holder()
    await using listener = await openListener(icecast.urlOf('/a'), {})
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    await keepsToItself(engine.pid)
    const beats = heartbeats()
    const mark = listener.firstByteAt!

    for (let round = 0; round < 3; round++) {
      const before = beats()
      await sshd.drop()
      await waitFor('the agent to be back', () => beats() >= before + 2, { timeoutMs: TIMEOUT_MS })
    }
    await agent[Symbol.asyncDispose]()
    expect(isAlive(engine)).toBe(true)
    owned.use(await subject.start())
    const before = beats()
    await waitFor('the next agent to speak of it', () => beats() > before, { timeoutMs: TIMEOUT_MS })

    const added = [await subject.tone('high', { frequencyHz: 880, seconds: 4 })]
    await subject.want(aStart('a', { server_id: SERVER_ID, source_token: SOURCE_PASSWORD, tracks: added, generation: 2 }))
    await hears(listener, 880, { timeoutMs: TIMEOUT_MS })
    expect(await holder()).toEqual(engine)
    expect(listener.closures).toEqual([])
    expect(subject.events.filter(({ event }) => event === 'channel_failed')).toEqual([])
    console.log(`three lost connections and a new agent: longest gap ${Math.round(listener.gapSince(mark))} ms`)
  }, 120_000)

  test('tells no heartbeat while its host does not answer, though the connection stands; and plays on', async () => {
    owned.use(await subject.start())
    await want()
    await onAir()
    const engine = await holder()
    await using listener = await openListener(icecast.urlOf('/a'), {})
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
    const beats = heartbeats()
    await sshd.freeze()
    await waitFor('readiness to tell it', () => subject.health.read()[`liquidsoap on ${SERVER_ID}`]?.ok === false, {
      timeoutMs: TIMEOUT_MS,
    })
    const silentFrom = beats()
    const heardAt = performance.now()
    await waitFor('the listener to hear more', () => listener.framesSince(heardAt).length > 100, { timeoutMs: TIMEOUT_MS })
    expect(beats()).toBe(silentFrom)
    await sshd.thaw()
    await waitFor('heartbeats to go on', () => beats() > silentFrom + 1, { timeoutMs: TIMEOUT_MS })
    expect(await holder()).toEqual(engine)
    expect(listener.closures).toEqual([])
    expect(subject.statuses('a').at(-1)).toMatchObject({ phase: 'on_air', last_error: null })
  }, 120_000)

  test('waits for a host that is not there at first', async () => {
    await sshd.stop()
    owned.use(await subject.start())
    await want()
    const problem = () => subject.health.read()[`liquidsoap on ${SERVER_ID}`]?.problem
    await waitFor('readiness to tell it', () => problem()?.includes('nothing listens there'), { timeoutMs: TIMEOUT_MS })
    await sshd.start()
    await onAir()
  }, 60_000)
})

test('one agent serves two hosts and its own machine, each as a server of its own', async () => {
  const other = owned.use(await testSshd())
  const file = join(home.path, 'hosts.json')
  const entry = (id: string, { target, hostKey, keyFile }: TestSshd) => ({
    id,
    host: target.host,
    port: target.port,
    user: target.user,
    keyFile,
    hostKey,
  })
  await writeFile(
    file,
    JSON.stringify({ hosts: [entry('one', sshd), { ...entry('two', other), labels: { zone: 'b' }, capacity: 7 }] }),
  )
  const variables = {
    ICECAST_PORT: `${icecast.port}`,
    AGENT_RESYNC_MS: '500',
    LIQUIDSOAP_LOCAL: 'true',
    LIQUIDSOAP_HOSTS_FILE: file,
  }
  const many = owned.use(rig(home, variables))
  const agent = await many.start('stop')
  const tracks = [await many.tone('low', { frequencyHz: 440, seconds: 4 })]
  const servers = ['here', 'one', 'two']
  await many.want(
    ...servers.map((id) => aStart(`on-${id}`, { server_id: id, mount: `/on-${id}`, source_token: SOURCE_PASSWORD, tracks })),
  )
  for (const id of servers) {
    const status = await many.until(`on-${id}`, 'on air', ({ phase }) => phase === 'on_air', TIMEOUT_MS)
    expect(status.server_id).toBe(id)
    await using listener = await openListener(icecast.urlOf(`/on-${id}`), {})
    await hears(listener, 440, { timeoutMs: TIMEOUT_MS })
  }
  const beats = owned.use(many.bus.watch('serverHeartbeats'))
  await waitFor(
    'heartbeats of all that tell what they carry',
    () => servers.every((id) => beats.values.get(id)?.channels === 1),
    {
      timeoutMs: TIMEOUT_MS,
    },
  )
  expect(beats.values.get('two')).toMatchObject({
    capacity: 7,
    labels: { zone: 'b' },
    versions: { liquidsoap: expect.any(String) },
  })
  const engines = async () => [await enginesOf(home.path), ...(await Promise.all([sshd, other].map(enginesThere)))]
  for (const those of await engines()) expect(those).not.toEqual([])
  await agent[Symbol.asyncDispose]()
  expect(await engines()).toEqual([[], [], []])
}, 120_000)

describe('a file on its way to a host', () => {
  const content = randomBytes(3 * 1024 * 1024)
  const sha256 = createHash('sha256').update(content).digest('hex')
  let link: SshLink

  beforeEach(async () => {
    link = owned.use(sshLink({ target: sshd.target, tell: quiet }))
    await link.firstTry
  })
  const put = (pieces: Iterable<Buffer> | AsyncIterable<Buffer>, reserveBytes = 0) =>
    putFile(link, { kind: 'media', sha256, sizeBytes: content.length, reserveBytes, content: Readable.from(pieces) }, () => {})
  const cached = () => readdir(join(sshd.root, 'cache'))

  test('is not there before all of it is, and a connection that is lost in between leaves nothing to be seen', async () => {
    const half = async function* () {
      yield content.subarray(0, 1_500_000)
      await waitFor('half of it to arrive', async () => (await readdir(join(sshd.root, 'drafts'))).length > 0, {
        timeoutMs: TIMEOUT_MS,
      })
      expect(await cached()).toEqual([])
      await sshd.drop()
      yield content.subarray(1_500_000)
    }
    await expect(put(half())).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(await cached()).toEqual([])
    await waitFor('the connection', async () => (await link.request('have', [], { timeoutMs: 2000 })).ok, {
      timeoutMs: TIMEOUT_MS,
    })
    await put([content])
    expect(await cached()).toEqual([`${sha256}.mp3`])
    await put([content]) // is there already
  }, 60_000)

  test('that is damaged, too short, or has no room is refused as what it is', async () => {
    await expect(put([Buffer.alloc(content.length)])).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
    await expect(put([content.subarray(1)])).rejects.toMatchObject({ code: 'MEDIA_MISSING' })
    await expect(put([content], 1e14)).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(await cached()).toEqual([])
    expect(await readdir(join(sshd.root, 'drafts'))).toEqual([])
  }, 60_000)

  test('that fills the disk is refused when that happens, and all of it goes', async () => {
    const drafts = join(sshd.root, 'drafts')
    const mount = ['-t', 'tmpfs', '-o', 'size=1m,mode=777', 'none', drafts]
    const isMounted = await runCommand('mount', mount, { timeoutMs: TIMEOUT_MS }).then(
      () => true,
      () => false,
    )
    if (!isMounted) return console.warn('SKIPPED: no small disk may be mounted here (needs root)')
    owned.defer(async () => void (await runCommand('umount', ['-l', drafts], { timeoutMs: TIMEOUT_MS })))
    await expect(put([content])).rejects.toMatchObject({ code: 'NO_SPACE' })
    expect(await cached()).toEqual([])
    expect(await readdir(drafts)).toEqual([])
  }, 60_000)
})

import { beforeEach, describe, expect, test } from '@jest/globals'
import { signSourceToken, type StreamCommand } from '@skipcast/contracts'
import { meters, silentLogger } from '@skipcast/runtime'
import { answer, type AnswerPorts } from './answer.ts'
import type { Listener } from './domain/guests.ts'
import type { Monitor } from './domain/monitors.ts'
import type { WantedChannel } from './domain/plan.ts'
import type { Question } from './domain/question.ts'
import { roster } from './roster.ts'
import { icecastTelemetry } from './telemetry.ts'

const KEY = 'k'.repeat(32)
const OWN = 'the password of our own sources'
const token = (epoch: number, mount = '/demo', channelId = 'c1') => signSourceToken(KEY, { channelId, mount, epoch })

describe('answer', () => {
  let did: string[]
  let epochs: Map<string, number>
  let commands: Map<string, StreamCommand>
  let waitedOut: WeakSet<StreamCommand>
  let diskIsFull: boolean
  let engines: Set<string>
  let active: string
  let running: Set<string>

  beforeEach(() => {
    did = []
    epochs = new Map()
    commands = new Map()
    waitedOut = new WeakSet()
    diskIsFull = false
    engines = new Set()
    active = '/demo'
    running = new Set()
  })

  const ask = (question: Question) => {
    let kills = 0
    const ports: AnswerPorts = {
      signingKey: KEY,
      admin: {
        async kill(mount) {
          did.push(`kill ${mount}`)
          kills += 1
          return (['killed', 'ending', 'absent'] as const)[kills - 1] ?? 'absent'
        },
        setFallback: async (mount) => running.has(mount),
        async moveListeners(from, to) {
          did.push(`${from} to ${to}`)
          return true
        },
      },
      epochs: {
        highest: async (channelId, mount) => epochs.get(`${channelId} ${mount}`) ?? null,
        async raise(channelId, mount, epoch) {
          if (diskIsFull) throw new Error('disk full')
          did.push(`epoch ${epoch}`)
          epochs.set(`${channelId} ${mount}`, epoch)
        },
      },
      feeder: {
        nudge: (mount) => void did.push(`nudge ${mount}`),
        isConnected: () => false,
        isOwnPassword: (password) => password === OWN,
      },
      roster: { ...roster(() => 0), engines, playing: engines, ended: (mount) => void engines.delete(mount) },
      signposts: { of: () => active },
      settling: {
        begin: (mount) => void did.push(`settle ${mount}`),
        fetch: (mount) => void did.push(`fetch ${mount}`),
        isUnderWay: () => false,
        takeFailed: () => [],
        [Symbol.dispose]() {},
        done: async (mount) => void did.push(`wait ${mount}`),
      },
      stragglers: { letIn: (mount) => void did.push(`let in to ${mount}`) },
      guards: { raise: (mount) => void did.push(`guard ${mount}`) },
      commands: {
        channels: new Map([['/private', { channelId: 'c1', isSigned: true } as WantedChannel]]),
        mayBeHeard: (mount) => mount !== '/off-air',
        of: (channelId) => commands.get(channelId),
        at: (mount) => [...commands.values()].find((command) => command.mount === mount),
      },
      waitedOut,
      today: () => 1_700_000_000_000,
      telemetry: icecastTelemetry(silentLogger(), meters()),
    }
    return answer(ports, question, new AbortController().signal)
  }
  const source = (password: string, path = '/demo', user = 'source') => ask({ kind: 'source', path, user, password })
  const admin = (password: string, user = 'source') => ask({ kind: 'admin', path: '/demo', user, password })

  test('a newcomer is let in after its epoch is on disk and the mount is free', async () => {
    expect(await source(token(4))).toBe(true)
    expect(did).toEqual(['epoch 4', 'kill /demo', 'kill /demo', 'kill /demo', 'settle /demo'])
  })

  test('an epoch that can not be written lets nobody in, and ends nobody', async () => {
    diskIsFull = true
    await expect(source(token(4))).rejects.toThrow('disk full')
    expect(did).toEqual([])
  })

  test('an older epoch is refused, and nothing is done for it', async () => {
    epochs.set('c1 /demo', 5)
    expect(await source(token(4))).toBe(false)
    expect(did).toEqual([])
  })

  test('a stopped channel is waited for once: its start may not have been read yet', async () => {
    const stop = { event: 'stop_stream', channel_id: 'c1', mount: '/demo', epoch: 4 } as StreamCommand
    const start = { event: 'start_stream', channel_id: 'c1', mount: '/demo', epoch: 4 } as StreamCommand
    commands.set('c1', stop)
    const asked = source(token(4))
    await Promise.resolve()
    commands.set('c1', start)
    expect(await asked).toBe(true)

    did = []
    commands.set('c1', stop)
    expect(await source(token(4))).toBe(false)
    expect(await source(token(5))).toBe(true)
    expect(did).toEqual(['epoch 5', 'kill /demo', 'kill /demo', 'kill /demo', 'settle /demo'])
  })

  test('the filler gets a yes without room being made', async () => {
    expect(await source(OWN)).toBe(true)
    expect(did).toEqual(['settle /demo'])
    expect(await source(OWN, '/w/demo')).toBe(true)
    expect(await source(OWN, '/x/y')).toBe(false)
  })

  test('each mount of a channel has its own epochs and tokens', async () => {
    epochs.set('c1 /demo', 5)
    expect(await source(token(4, '/w/demo'), '/w/demo')).toBe(true)
    expect(did).toEqual(['epoch 4', 'kill /w/demo', 'kill /w/demo', 'kill /w/demo', 'settle /demo'])
    expect(await source(token(6), '/w/demo')).toBe(false)
    expect(await source(token(6, '/w/demo'))).toBe(false)
  })

  test('while a source changes, listeners are where another engine plays', async () => {
    engines.add('/w/demo')
    expect(await source(token(4))).toBe(true)
    expect(did.slice(0, 4)).toEqual(['epoch 4', 'fetch /demo', '/demo to /w/demo', 'kill /demo'])
  })

  test('A6: an admin command needs the token of exactly the current epoch', async () => {
    expect(await admin(token(4))).toBe(false) // no epoch was ever let in
    epochs.set('c1 /demo', 4)
    expect(await admin(token(4))).toBe(true)
    for (const password of ['', token(3), token(5), token(4).slice(0, -1), token(4, '/other'), OWN])
      expect(await admin(password)).toBe(false)
    expect(await admin(token(4), 'admin')).toBe(false)
    expect(did).toEqual([])
  })

  test('a listener waits for a source that is being let in; only channels can be listened to', async () => {
    const came = (path: string, monitor: Monitor | null = null) => ask({ kind: 'listener-came', path, monitor, guest: null })
    expect(await came('/demo')).toBe(true)
    expect(did).toEqual(['guard /demo', 'wait /demo', 'let in to /demo'])
    for (const path of ['/status-json.xsl', '/', '/x/y', '/off-air']) expect(await came(path)).toBe(false)
    expect(did).toHaveLength(3)
    expect(await came('/demo', { asked: null })).toBe(true) // a monitor of our own needs nobody to guard it
    expect(did.slice(3)).toEqual(['wait /demo', 'let in to /demo'])
  })

  test('a private channel is heard with a link for it that has not expired, and by monitors that showed a source token', async () => {
    const came = (who: Partial<Listener>, path = '/private') =>
      ask({ kind: 'listener-came', path, monitor: null, guest: null, ...who })
    const guest = { channelId: 'c1', expiresAt: 1_700_000_001 }
    for (const path of ['/private', '/w/private']) {
      expect(await came({}, path)).toBe(false)
      expect(await came({ guest: { ...guest, channelId: 'c2' } }, path)).toBe(false)
      expect(await came({ guest: { ...guest, expiresAt: 1_700_000_000 } }, path)).toBe(false)
      expect(await came({ monitor: { asked: null } }, path)).toBe(false)
      expect(await came({ guest }, path)).toBe(true)
      expect(await came({ monitor: { asked: path } }, path)).toBe(true)
    }
  })

  test('everybody who is let in may be a straggler, but for a monitor that asks for just that mount', async () => {
    active = '/w/demo'
    expect(await ask({ kind: 'listener-came', path: '/demo', monitor: null, guest: null })).toBe(true)
    expect(did).toEqual(['guard /demo', 'wait /demo', 'let in to /demo'])
    did = []
    expect(await ask({ kind: 'listener-came', path: '/demo', monitor: { asked: '/demo' }, guest: null })).toBe(true)
    expect(await ask({ kind: 'listener-came', path: '/w/demo', monitor: { asked: '/w/demo' }, guest: null })).toBe(true)
    expect(did).toEqual([])
    expect(await ask({ kind: 'listener-came', path: '/w/demo', monitor: null, guest: null })).toBe(true)
    expect(did).toEqual(['guard /demo', 'wait /demo', 'let in to /w/demo'])
  })

  test('the end of a source calls the filler, and settles anew where listeners are', async () => {
    await ask({ kind: 'source-ended', path: '/demo' })
    expect(did).toEqual(['fetch /demo', 'settle /demo', 'nudge /demo'])
    did = []
    await ask({ kind: 'source-ended', path: '/w/demo' })
    expect(did).toEqual(['settle /demo', 'nudge /w/demo'])
  })

  test('an end that is told when the next engine runs already is that of the one before', async () => {
    engines.add('/demo')
    running.add('/demo')
    await ask({ kind: 'source-ended', path: '/demo' })
    expect([...engines]).toEqual(['/demo'])
    expect(did).toEqual(['fetch /demo', 'settle /demo'])
    running.clear()
    await ask({ kind: 'source-ended', path: '/demo' })
    expect([...engines]).toEqual([])
  })
})

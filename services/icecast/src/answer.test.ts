import { beforeEach, describe, expect, test } from '@jest/globals'
import { signSourceToken, type StreamCommand } from '@skipcast/contracts'
import { meters, silentLogger } from '@skipcast/runtime'
import { answer, type AnswerPorts } from './answer.ts'
import type { Question } from './domain/question.ts'
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

  beforeEach(() => {
    did = []
    epochs = new Map()
    commands = new Map()
    waitedOut = new WeakSet()
    diskIsFull = false
  })

  const ask = (question: Question) => {
    let kills = 0
    const ports: AnswerPorts = {
      signingKey: KEY,
      admin: {
        mounts: async () => new Map(),
        async kill(mount) {
          did.push(`kill ${mount}`)
          kills += 1
          return (['killed', 'ending', 'absent'] as const)[kills - 1] ?? 'absent'
        },
        setFallback: async () => true,
        moveListeners: async () => true,
        monitors: async () => 0,
      },
      epochs: {
        highest: async (channelId) => epochs.get(channelId) ?? null,
        async raise(channelId, epoch) {
          if (diskIsFull) throw new Error('disk full')
          did.push(`epoch ${epoch}`)
          epochs.set(channelId, epoch)
        },
      },
      feeder: { nudge: (mount) => void did.push(`nudge ${mount}`), isOwnPassword: (password) => password === OWN },
      settling: {
        begin: (mount) => void did.push(`settle ${mount}`),
        isUnderWay: () => false,
        done: async (mount) => void did.push(`wait ${mount}`),
      },
      guards: { raise: (mount) => void did.push(`guard ${mount}`) },
      commands: {
        mayBeHeard: (mount) => mount !== '/off-air',
        of: (channelId) => commands.get(channelId),
        at: (mount) => [...commands.values()].find((command) => command.mount === mount),
      },
      waitedOut,
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
    epochs.set('c1', 5)
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

  test('nobody but the role feeds a waiting mount', async () => {
    expect(await source(token(1, '/w/demo'), '/w/demo')).toBe(false)
    expect(await source(token(1), '/w/demo')).toBe(false)
  })

  test('A6: an admin command needs the token of exactly the current epoch', async () => {
    expect(await admin(token(4))).toBe(false) // no epoch was ever let in
    epochs.set('c1', 4)
    expect(await admin(token(4))).toBe(true)
    for (const password of ['', token(3), token(5), token(4).slice(0, -1), token(4, '/other'), OWN])
      expect(await admin(password)).toBe(false)
    expect(await admin(token(4), 'admin')).toBe(false)
    expect(did).toEqual([])
  })

  test('a listener waits for a source that is being let in; only channels can be listened to', async () => {
    const came = (path: string, isMonitor = false) => ask({ kind: 'listener-came', path, isMonitor })
    expect(await came('/demo')).toBe(true)
    expect(did).toEqual(['guard /demo', 'wait /demo'])
    for (const path of ['/w/demo', '/status-json.xsl', '/', '/x/y', '/off-air']) expect(await came(path)).toBe(false)
    expect(did).toHaveLength(2)
    expect(await came('/demo', true)).toBe(true) // a monitor of our own needs nobody to guard it
    expect(did.slice(2)).toEqual(['wait /demo'])
  })

  test('the end of a source calls the filler', async () => {
    await ask({ kind: 'source-ended', path: '/demo' })
    expect(did).toEqual(['nudge /demo'])
  })
})

import { Duplex, PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { hostSession, type HostSession } from './host-session.ts'

let asked: string
let channel: Duplex & { stderr: PassThrough }
let session: HostSession
let changes: number
let ends: string[]

beforeEach(() => {
  asked = ''
  changes = 0
  ends = []
  const stderr = new PassThrough()
  const duplex = new Duplex({
    read() {},
    write(piece: Buffer, _, done) {
      asked += piece.toString('latin1')
      done()
    },
  })
  channel = Object.assign(duplex, { stderr })
  session = hostSession(channel, { onChange: () => (changes += 1), onEnd: (words) => ends.push(words) })
})
afterEach(() => session[Symbol.dispose]())

const ask = (verb: string, data = '') => session.request(verb, ['x', 1], { data, timeoutMs: 5000 })

describe('a session with a host', () => {
  test('hands each answer to who asked, in whatever order and pieces they come', async () => {
    const [one, two] = [ask('one', 'größe'), ask('two')]
    expect(Buffer.from(asked, 'latin1').toString('utf8')).toBe('1 one x 1 7\ngröße2 two x 1 0\n')
    for (const byte of '2 no space 3\nabc0 ok changed 0\n1 ok - 4\n1\n2\n') channel.push(byte)
    expect(await one).toEqual({ ok: true, data: Buffer.from('1\n2\n') })
    expect(await two).toEqual({ ok: false, code: 'space', data: Buffer.from('abc') })
    expect(changes).toBe(1)
  })

  test.each(['hello\n', '1 ok - 99999999999\n', `1 ok - 99999999\n`, 'x'.repeat(200)])(
    'ends where %j is answered',
    async (text) => {
      const answer = ask('one')
      channel.push(text)
      await expect(answer).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
      expect(ends).toEqual(['it answers what no skipcast-host says'])
    },
  )

  test('that is closed fails all that was asked, and tells its last words', async () => {
    const answers = [ask('one'), ask('two')]
    channel.stderr.write('skipcast-host: no\n')
    await new Promise(setImmediate)
    channel.destroy()
    for (const answer of answers) await expect(answer).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    expect(ends).toEqual(['skipcast-host: no'])
    await expect(ask('three')).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  })

  test('gives up on an answer that is late, and takes it for no other', async () => {
    await expect(session.request('one', [], { timeoutMs: 1 })).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
    const two = ask('two')
    channel.push('1 ok - 1\nA2 ok - 1\nB')
    expect(await two).toEqual({ ok: true, data: Buffer.from('B') })
    expect(ends).toEqual([])
  })
})

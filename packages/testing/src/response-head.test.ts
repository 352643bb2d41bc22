import { describe, expect, test } from '@jest/globals'
import { headReader } from './response-head.ts'

const answer = 'HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nIcy-Name: a: b\r\nicy-metaint:16000\r\n\r\nbody'

describe('headReader', () => {
  test('parts head and body wherever the bytes are split', () => {
    for (let split = 0; split <= answer.length; split++) {
      const read = headReader()
      const first = read(Buffer.from(answer.slice(0, split)))
      const { head, body } = first ?? read(Buffer.from(answer.slice(split)))!
      expect(head).toMatchObject({ status: 200, reason: 'OK' })
      expect(Object.fromEntries(head.headers)).toEqual({ server: 'Icecast 2.4.4', 'icy-name': 'a: b', 'icy-metaint': '16000' })
      expect('body'.startsWith(body.toString())).toBe(true)
    }
  })

  test('takes a SHOUTcast status line, and one without a reason', () => {
    expect(headReader()(Buffer.from('ICY 200 OK\r\n\r\n'))!.head.status).toBe(200)
    expect(headReader()(Buffer.from('HTTP/1.1 404\r\n\r\n'))!.head).toMatchObject({ status: 404, reason: '' })
  })

  test('refuses what is no HTTP, and a head without end', () => {
    expect(() => headReader()(Buffer.from('SSH-2.0-x\r\n\r\n'))).toThrow('no status line')
    expect(() => headReader()(Buffer.alloc(20_000, 0x61))).toThrow('no end')
  })
})

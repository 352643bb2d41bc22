import { describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { socketOpener } from './sockets.ts'

const here = fileURLToPath(import.meta.url)
const tls = (caFile?: string, client?: { certFile: string; keyFile: string }) => ({ tls: { caFile, client }, login: null })

describe('socketOpener', () => {
  test('names the variable of each file that can not be read', () => {
    const client = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' }
    expect(() => socketOpener(tls('/nowhere/ca.pem', client))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        details: ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'].map((name) => `${name}: the file can not be read (ENOENT)`),
      }),
    )
  })

  test('names the variables of files that hold something else', () => {
    expect(() => socketOpener(tls(here, { certFile: here, keyFile: here }))).toThrow(
      /^KAFKA_SSL_CA: the file holds no usable PEM.*\nKAFKA_SSL_CERT: .*\nKAFKA_SSL_KEY: /,
    )
  })

  test('does not let a broker on this machine send a visible password elsewhere', () => {
    const login = { mechanism: 'plain', username: 'radio', password: 'secret' } as const
    const open = socketOpener({ tls: null, login })
    expect(() => open('elsewhere.example', 9092, () => undefined)).toThrow(/elsewhere\.example in the clear/)
  })
})

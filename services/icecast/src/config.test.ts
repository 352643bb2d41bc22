import { expect, test } from '@jest/globals'
import { readConfig } from '@skipcast/runtime'
import { icecastEnv } from './config.ts'

const read = (environment: Record<string, string>) => readConfig({ icecast: icecastEnv }, environment).icecast

test('has a default for everything but the secrets', () => {
  expect(read({})).toEqual({
    bind: '0.0.0.0',
    port: 8000,
    hostname: 'localhost',
    binary: 'icecast2',
    adminUser: 'admin',
    adminPassword: undefined,
    signingKey: undefined,
    front: {
      binary: '/usr/sbin/haproxy',
      tls: null,
      statisticsFrom: ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7'],
    },
    logMaxKb: 10_000,
    maxListeners: 8000,
    maxSources: 2000,
    silence: { bitrateKbps: 128, sampleRate: 44_100 },
  })
})

test('tells every bad variable by its name, and no secret', () => {
  const bad = {
    ICECAST_PORT: '0',
    ICECAST_STATISTICS_FROM: '10.0.0.0/33',
    SOURCE_SIGNING_KEY: 'short-secret',
    LIQUIDSOAP_BITRATE: '100',
    LIQUIDSOAP_SAMPLERATE: '22050',
  }
  const told = (() => {
    try {
      return read(bad)
    } catch (error) {
      return (error as Error).message
    }
  })()
  for (const name of Object.keys(bad)) expect(told).toContain(name)
  expect(told).not.toContain('short-secret')
})

test('takes networks, and a certificate with a port of its own', () => {
  const { front } = read({ ICECAST_STATISTICS_FROM: '192.0.2.7,2001:db8::/32', ICECAST_TLS_CERT: '/etc/radio.pem' })
  expect(front).toMatchObject({
    statisticsFrom: ['192.0.2.7', '2001:db8::/32'],
    tls: { certificateFile: '/etc/radio.pem', port: 8443 },
  })
  for (const text of ['10.0.0.0/8,', 'radio.example.org', '10.0.0.0/8 ::/0', '10.0.0.0/8/8', '::/129'])
    expect(() => read({ ICECAST_STATISTICS_FROM: text })).toThrow(/ICECAST_STATISTICS_FROM/)
})

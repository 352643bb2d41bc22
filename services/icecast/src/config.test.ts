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
    maxListeners: 10_000,
    maxSources: 2000,
    silence: { bitrateKbps: 128, sampleRate: 44_100 },
  })
})

test('tells every bad variable by its name, and no secret', () => {
  const bad = { ICECAST_PORT: '0', SOURCE_SIGNING_KEY: 'short-secret', LIQUIDSOAP_BITRATE: '100', LIQUIDSOAP_SAMPLERATE: '22050' }
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

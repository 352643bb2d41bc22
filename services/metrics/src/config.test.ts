import { expect, test } from '@jest/globals'
import { readConfig } from '@skipcast/runtime'
import { metricsEnv } from './config.ts'

test('has a default for everything but the password', () => {
  expect(readConfig({ metrics: metricsEnv }, {}).metrics).toEqual({
    icecast: { host: '127.0.0.1', port: 8000, user: 'admin', password: undefined },
    intervalMs: 1000,
    fullEveryMs: 60_000,
  })
})

test('tells every bad variable by its name', () => {
  const bad = { ICECAST_HOST: 'http://x/', ICECAST_PORT: '99999', METRICS_INTERVAL_MS: '0' }
  expect(() => readConfig({ metrics: metricsEnv }, bad)).toThrow(/ICECAST_HOST[^]*ICECAST_PORT[^]*METRICS_INTERVAL_MS/)
})

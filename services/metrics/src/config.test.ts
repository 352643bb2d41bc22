import { expect, test } from '@jest/globals'
import { readConfig } from '@skipcast/runtime'
import { metricsEnv } from './config.ts'

const read = (given: Record<string, string>) => readConfig({ metrics: metricsEnv }, given).metrics

test('has a default for everything but the password', () => {
  expect(read({})).toEqual({
    icecasts: [{ host: '127.0.0.1', port: 8000 }],
    user: 'admin',
    password: undefined,
    intervalMs: 1000,
    timeoutMs: 5000,
    fullEveryMs: 60_000,
  })
})

test('takes several Icecasts, each once', () => {
  const given = { METRICS_ICECASTS: 'radio-1:8000, [::1]:8001,radio-1:8000', ICECAST_HOST: 'other' }
  expect(read(given).icecasts).toEqual([
    { host: 'radio-1', port: 8000 },
    { host: '::1', port: 8001 },
  ])
})

test('tells every bad variable by its name', () => {
  const bad = { ICECAST_HOST: 'http://x/', ICECAST_PORT: '99999', METRICS_INTERVAL_MS: '0' }
  expect(() => read(bad)).toThrow(/ICECAST_HOST[^]*ICECAST_PORT[^]*METRICS_INTERVAL_MS/)
  for (const list of ['radio-1', 'radio-1:0', 'radio-1:8000,', 'http://radio-1:8000', 'a:1/../x', 'a:123456'])
    expect(() => read({ METRICS_ICECASTS: list })).toThrow('METRICS_ICECASTS')
})

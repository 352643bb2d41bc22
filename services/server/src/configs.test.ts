import { describe, expect, test } from '@jest/globals'
import { readConfigs } from './configs.ts'

describe('the configuration of a server', () => {
  test('has every role where nothing is set', () => {
    const { server, roles } = readConfigs({ SERVER_ROLES: '' })
    expect([...server.roles].sort()).toEqual(['api', 'icecast', 'kafka', 'liquidsoap', 'media', 'metrics'])
    expect(Object.keys(roles).sort()).toEqual([...server.roles].sort())
  })

  test('looks only at the variables of the roles that are named', () => {
    const { server, roles } = readConfigs({ SERVER_ROLES: 'metrics, icecast', API_PORT: 'none of my business' })
    expect(server.roles).toEqual(new Set(['metrics', 'icecast']))
    expect(roles.api).toBeUndefined()
    expect(roles.icecast).toBeDefined()
  })

  test('two services can not share a port', () => {
    expect(() => readConfigs({ API_PORT: '8000' })).toThrow(/API_PORT and ICECAST_PORT are both 8000/)
    expect(() => readConfigs({ METRICS_PORT: '3000', ICECAST_TLS_CERT: '/x.pem', ICECAST_TLS_PORT: '8000' })).toThrow(
      /METRICS_PORT and API_PORT are both 3000; ICECAST_PORT and ICECAST_TLS_PORT are both 8000/,
    )
  })

  test('tells all problems of all roles at once, with the roles there are', () => {
    const wrong = {
      API_PORT: '0',
      ICECAST_PORT: 'x',
      KAFKA_BROKER: 'nowhere',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://db:secret@x/y',
      PUBLIC_LISTEN_URL: 'radio.example',
      MEDIA_MAX_BYTES: '2147483649',
      API_TRUST_PROXY: '10.0.0.0/99',
    }
    const read = () => readConfigs({ SERVER_ROLES: 'api,dj', ...wrong })
    expect(read).toThrow(/"dj" is no role; roles are kafka, api, media, icecast, metrics, liquidsoap and all/)
    for (const name of Object.keys(wrong)) expect(read).toThrow(new RegExp(`  - ${name}: \\S+`))
    expect(read).not.toThrow(/secret/)
  })
})

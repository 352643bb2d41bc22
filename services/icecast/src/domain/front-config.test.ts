import { describe, expect, test } from '@jest/globals'
import { frontConfig, type FrontSettings } from './front-config.ts'

const settings: FrontSettings = {
  bind: '0.0.0.0',
  port: 8000,
  tlsPort: null,
  innerPort: 20_001,
  askPort: 20_002,
  maxConnections: 500,
  adminUser: 'admin',
  adminPassword: 'secret',
  statisticsFrom: ['127.0.0.0/8', '::1'],
  sessionSecret: 'word',
  signingKey: 'key',
}

describe('frontConfig', () => {
  test('speaks TLS only when it has a certificate', () => {
    const binds = (more: Partial<FrontSettings>) =>
      [...frontConfig({ ...settings, ...more }).matchAll(/^ {2}bind (.*)$/gm)].map((match) => match[1])
    expect(binds({})).toEqual(['0.0.0.0:8000'])
    expect(binds({ bind: '::', tlsPort: 8443 })).toEqual(['ipv6@:::8000', 'ipv6@:::8443 ssl crt certificate.pem alpn http/1.1'])
  })

  test('lets no password and no key become configuration', () => {
    const hostile = '"\nfrontend x # ${HOME} %[src] \\'
    const config = frontConfig({ ...settings, adminPassword: hostile, signingKey: hostile })
    expect(config.split('\n')).toHaveLength(frontConfig(settings).split('\n').length)
    expect(config).not.toContain('HOME')
    expect(config).toContain(`"Basic ${Buffer.from(`admin:${hostile}`).toString('base64')}"`)
  })
})

import { describe, expect, test } from '@jest/globals'
import { escapeXml } from './escape-xml.ts'
import { icecastXml, type IcecastSettings } from './icecast-xml.ts'

const settings: IcecastSettings = {
  hostname: 'radio.example.org',
  bind: '0.0.0.0',
  port: 8000,
  innerPort: 20_001,
  adminUser: 'admin',
  adminPassword: 'secret',
  maxListeners: 1000,
  maxSources: 50,
  askUrl: 'http://127.0.0.1:20000/ice/word',
  logDirectory: '/home/icecast/logs',
  webroot: '/home/icecast/empty',
}

describe('icecastXml', () => {
  test('serves every channel by three patterns, the nameless one last', () => {
    const xml = icecastXml(settings)
    expect([...xml.matchAll(/<mount type="(\w+)">\s*(?:<mount-name>(.*?)<\/mount-name>)?/g)].map((m) => [m[1], m[2]])).toEqual([
      ['default', '/*'],
      ['default', '/w/*'],
      ['default', undefined],
    ])
    expect(xml).not.toContain('source-password')
    expect(xml).not.toContain('fallback')
  })

  test('asks about everything, on every mount', () => {
    expect(icecastXml(settings).match(/<option name="\w+" value="http:\/\/127\.0\.0\.1:20000\/ice\/word"\/>/g)).toHaveLength(15)
  })

  test('leaves room for sources and administrators beside the listeners', () => {
    expect(icecastXml(settings)).toContain('<clients>1150</clients>\n    <sources>50</sources>')
  })

  test('lets no value become markup', () => {
    const hostile = `</admin-password><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;"'`
    const xml = icecastXml({ ...settings, adminPassword: hostile, askUrl: hostile })
    expect(xml).not.toContain('<!')
    expect(xml).not.toContain('&y;')
    expect(xml.match(/<\/admin-password>/g)).toHaveLength(1)
  })

  test('refuses what XML can not hold', () => {
    for (const text of ['a\0b', '\u001b[2J', '\ud800', '\uffff']) expect(() => escapeXml(text)).toThrow(RangeError)
    expect(escapeXml('tab\tand\nline')).toBe('tab\tand\nline')
  })
})

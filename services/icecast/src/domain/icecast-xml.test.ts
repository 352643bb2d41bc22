import { describe, expect, test } from '@jest/globals'
import { LISTENER_DOORS, MOST_LISTENERS_WAITING } from './doors.ts'
import { escapeXml } from './escape-xml.ts'
import { icecastXml, type IcecastSettings } from './icecast-xml.ts'

const settings: IcecastSettings = {
  hostname: 'radio.example.org',
  innerPort: 20_001,
  adminUser: 'admin',
  adminPassword: 'secret',
  maxListeners: 1000,
  maxSources: 50,
  askUrl: 'http://127.0.0.1:20000/ice/word',
  logMaxKb: 10_000,
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
    expect(icecastXml(settings).match(/<option name="\w+" value="http:\/\/127\.0\.0\.1:20000\/ice\/word"\/>/g)).toHaveLength(12)
  })

  test('listens on loopback only, at as many doors as listeners may wait, each of them with a backlog of 5', () => {
    const addresses = [...icecastXml(settings).matchAll(/<bind-address>(.*?)<\/bind-address>\s*<port>20001</g)].map(
      (match) => match[1]!,
    )
    expect(addresses.length).toBe(icecastXml(settings).match(/<listen-socket>/g)!.length)
    expect(new Set(addresses).size).toBe(addresses.length)
    expect(addresses.every((address) => address.startsWith('127.0.0.'))).toBe(true)
    expect(LISTENER_DOORS.length * 5).toBeGreaterThanOrEqual(MOST_LISTENERS_WAITING)
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

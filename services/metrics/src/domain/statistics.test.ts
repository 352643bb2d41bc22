import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readStatistics } from './statistics.ts'
import { unescapeXml } from './unescape-xml.ts'

/** As Icecast 2.4.4 writes it, abridged. */
const source = (mount: string, more = '') =>
  `<source mount="${mount}"><genre>various</genre><listener_peak>5</listener_peak><listeners>3</listeners>` +
  `<server_name>a &amp; &lt;b&gt;</server_name><stream_start_iso8601>2026-11-21T03:01:59+0000</stream_start_iso8601>${more}</source>`
const page = (...sources: string[]) =>
  `<?xml version="1.0"?>\n<icestats><admin>-</admin><listeners>9</listeners><sources>${sources.length}</sources>${sources.join('')}</icestats>\n`

describe('readStatistics', () => {
  test('no mount, one mount, many mounts', () => {
    expect(readStatistics(page())).toEqual([])
    expect(readStatistics(page(source('/a')))).toEqual([
      { mount: '/a', listeners: 3, peak: 5, bitrateKbps: null, title: null, startedAt: Date.UTC(2026, 10, 21, 3, 1, 59) },
    ])
    expect(readStatistics(page(source('/a'), source('/b'), source('/w/a'))).map(({ mount }) => mount)).toEqual([
      '/a',
      '/b',
      '/w/a',
    ])
  })

  test('reads bitrate and title where a source gives them', () => {
    const [mount] = readStatistics(
      page(source('/a', '<bitrate>128</bitrate><artist>A &amp; B</artist><title>&quot;T&quot; &#233;</title>')),
    )
    expect(mount).toMatchObject({ bitrateKbps: 128, title: 'A & B - "T" é' })
    expect(readStatistics(page(source('/a', '<ice-bitrate>96</ice-bitrate><title>T</title>')))[0]).toMatchObject({
      bitrateKbps: 96,
      title: 'T',
    })
  })

  test('leaves out a mount that makes no sense, and keeps the others', () => {
    const broken = [
      '<source><listeners>1</listeners></source>',
      '<source mount="/x"/>',
      '<source mount="/y"><listeners>-1</listeners></source>',
    ]
    expect(
      readStatistics(
        page(...broken, source('/a'), '<source mount="/z"><listeners>1</listeners><listeners>2</listeners></source>'),
      ),
    ).toHaveLength(1)
  })

  test('X1: entities are never expanded (billion laughs, external files)', () => {
    const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')
    for (const doctype of [
      `<!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]>`,
      '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
      '<!doctype x>',
    ])
      expect(() =>
        readStatistics(`<?xml version="1.0"?>${doctype}${page(source('/a', '<title>&l9;</title>')).slice(21)}`),
      ).toThrow(SyntaxError)
    expect(readStatistics(page(source('/a', '<title>&l9;&xxe;</title>')))[0]!.title).toBe('&l9;&xxe;')
  })

  test('X1: no element name reaches a prototype, and none takes its neighbours down', () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', '__defineGetter__']) {
      const hostile = source('/b', `<${name}><polluted>yes</polluted><listeners>99</listeners></${name}>`)
      expect(readStatistics(page(source('/a'), hostile, `<${name} mount="/c">x</${name}>`)).map(({ mount }) => mount)).toEqual([
        '/a',
        '/b',
      ])
      expect(
        readStatistics(page(source('/a', ''), `<source ${name}="x" mount="/d"><listeners>1</listeners></source>`)),
      ).toHaveLength(2)
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('X1: deep nesting is refused before it costs anything', () => {
    const startedAt = performance.now()
    expect(() => readStatistics(page('<a>'.repeat(1_000_000)))).toThrow(SyntaxError)
    expect(() => readStatistics(page(source('/a', `${'<b>'.repeat(50)}${'</b>'.repeat(50)}`)))).toThrow(SyntaxError)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  test('what was cut off is no statistics: the mounts behind the cut are not gone', () => {
    const whole = page(source('/a'), source('/b'))
    expect(readStatistics(`${whole}\n  `)).toHaveLength(2)
    for (let at = 0; at < whole.trimEnd().length; at += 7) expect(() => readStatistics(whole.slice(0, at))).toThrow(SyntaxError)
  })

  test('wrong encodings and control characters end as text, or as no statistics', () => {
    const whole = page(source('/a', '<title>caf\u00e9 \u{1f4fb}</title>'))
    expect(readStatistics(Buffer.from(whole, 'latin1').toString('utf8'))[0]!.title).toMatch(/^caf\ufffd/)
    expect(() => readStatistics(Buffer.from(whole, 'utf16le').toString('utf8'))).toThrow(SyntaxError)
    expect(readStatistics(page(source('/a', '<title>a\0b&#10;\u001bc</title>')))[0]!.title).toBe('a b  c')
    const long = `${'x'.repeat(1999)}\u{1f4fb}`
    expect(readStatistics(page(source('/a', `<title>${long}</title>`)))[0]!.title!.isWellFormed()).toBe(true)
  })

  test('hostile mounts are names like others', () => {
    const names = [
      '/__proto__',
      '/../../etc/passwd',
      '/a\u0000b',
      `/${'x'.repeat(100_000)}`,
      '/&lt;script&gt;',
      '/%n%n',
      '/\u202e',
    ]
    expect(readStatistics(page(...names.map((name) => source(name)), source('/a'))).at(-1)!.mount).toBe('/a')
  })

  test.each(['', 'x', '<html><body>404</body></html>', '{"icestats":{}}', '<icestats/><icestats/>', '<icestats', '\0'])(
    '%j is not taken for statistics',
    (text) => {
      expect(() => readStatistics(text)).toThrow(SyntaxError)
    },
  )

  test('whatever comes, it gives mounts or throws SyntaxError', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('<', '>', '</', '&', '"', ']]>', '<![CDATA[', '<!--', '<?', '=', '<source'),
    )
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 12 }), fc.nat(400), (pieces, at) => {
        const whole = page(source('/a'))
        const cut = at % whole.length
        try {
          for (const { listeners } of readStatistics(whole.slice(0, cut) + pieces.join('') + whole.slice(cut)))
            expect(Number.isSafeInteger(listeners)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      }),
    )
  })
})

test('unescapeXml resolves once, and only what XML knows by itself', () => {
  expect(unescapeXml('&amp;lt; &#65;&#x42; &#0; &#xd800; &#1114112; &nbsp; &amp')).toBe(
    '&lt; AB &#0; &#xd800; &#1114112; &nbsp; &amp',
  )
})

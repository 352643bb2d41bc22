import { describe, expect, test } from '@jest/globals'
import { mountsOf, otherMount, readMount } from './mounts.ts'

describe('readMount', () => {
  test('knows the two mounts of a channel', () => {
    const second = { mount: '/w/demo', channelMount: '/demo' }
    expect(readMount('/demo')).toEqual({ mount: '/demo', channelMount: '/demo' })
    expect(readMount('/w/demo')).toEqual(second)
    expect([otherMount('/demo'), otherMount(second.mount)]).toEqual(['/w/demo', '/demo'])
    expect(mountsOf('/demo')).toEqual(['/demo', '/w/demo'])
  })

  test('a channel may be called w', () => {
    expect(readMount('/w')).toEqual({ mount: '/w', channelMount: '/w' })
    expect(readMount('/w/w')).toEqual({ mount: '/w/w', channelMount: '/w' })
  })

  test.each([
    '',
    '/',
    'demo',
    '/Demo',
    '/demo/',
    '//demo',
    '/demo.mp3',
    '/status-json.xsl',
    '/admin/stats',
    '/admin.cgi',
    '/w/',
    '/w//demo',
    '/w/w/demo',
    '/x/y',
    '/-demo',
    '/de%6Do',
    '/..',
    '/demo\n',
    '/démo',
    '/demo?x=1',
    `/${'a'.repeat(101)}`,
  ])('I7: %j is no mount', (path) => {
    expect(readMount(path)).toBeNull()
  })
})

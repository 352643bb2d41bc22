import { describe, expect, test } from '@jest/globals'
import { readMount, waitingMount } from './mounts.ts'

describe('readMount', () => {
  test('tells a channel from its waiting mount', () => {
    expect(readMount('/demo')).toEqual({ kind: 'channel', mount: '/demo' })
    expect(readMount('/w/demo')).toEqual({ kind: 'waiting', mount: '/w/demo', channelMount: '/demo' })
    expect(readMount(waitingMount('/w'))).toEqual({ kind: 'waiting', mount: '/w/w', channelMount: '/w' })
    expect(readMount('/w')).toEqual({ kind: 'channel', mount: '/w' })
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

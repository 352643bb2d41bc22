import { expect, test } from '@jest/globals'
import { readMounts } from './icecast-admin.ts'

test('reads what listmounts shows, and takes no value for a mount', () => {
  const xml = `<?xml version="1.0"?>
<icestats><source mount="/a"><fallback>/w/a</fallback><listeners>12</listeners><Connected>3</Connected></source>
<source mount="/w/a"><fallback/><listeners>0</listeners></source>
<source mount="/x&quot;&gt;&lt;source mount=&quot;/b"><fallback>&lt;/source&gt;&lt;source mount="/c"&gt;</fallback><listeners>9</listeners></source></icestats>`
  expect([...readMounts(xml)]).toEqual([
    ['/a', { fallback: '/w/a', listeners: 12 }],
    ['/w/a', { fallback: null, listeners: 0 }],
  ])
  expect(readMounts('<icestats/>').size).toBe(0)
})

import { expect, test } from '@jest/globals'
import { readListeners, readMounts } from './icecast-admin.ts'

test('reads what listmounts shows, and takes no value for a mount', () => {
  const xml = `<?xml version="1.0"?>
<icestats><source mount="/a"><fallback>/w/a</fallback><listeners>12</listeners><Connected>3</Connected><content-type>audio/mpeg</content-type></source>
<source mount="/w/a"><fallback/><listeners>0</listeners><content-type>application/ogg</content-type></source>
<source mount="/x&quot;&gt;&lt;source mount=&quot;/b"><fallback>&lt;/source&gt;&lt;source mount="/c"&gt;</fallback><listeners>9</listeners></source></icestats>`
  expect([...readMounts(xml)]).toEqual([
    ['/a', { fallback: '/w/a', format: 'mp3', listeners: 12 }],
    ['/w/a', { fallback: null, format: 'opus', listeners: 0 }],
  ])
  expect(readMounts('<icestats/>').size).toBe(0)
})

test('tells our own monitors from listeners, as 2.4 and 2.5 write them', () => {
  const client = (agent: string, tag = 'UserAgent') =>
    `<listener><IP>127.0.0.2</IP><${tag}>${agent}</${tag}><ID>7</ID></listener>`
  const read = (xml: string) => readListeners(`<icestats><source mount="/a"><Listeners>3</Listeners>${xml}</source></icestats>`)
  const monitors = [client('skipcast-monitor/1'), client('skipcast-monitor /w/a', 'useragent')]
  expect(read(monitors.join('')).map(({ monitor }) => monitor)).toEqual([{ asked: null }, { asked: '/w/a' }])
  expect(read(client('VLC &lt;UserAgent&gt;skipcast-monitor'))).toEqual([{ id: '7', monitor: null, guest: null }])
  expect(read('<Listener id="9"><UserAgent>VLC</UserAgent><ID>9</ID></Listener>')).toEqual([
    { id: '9', monitor: null, guest: null },
  ])
  expect(read('')).toEqual([])
})

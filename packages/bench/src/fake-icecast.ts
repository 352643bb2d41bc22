import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const CHANGING_SHARE = 0.1

/** As much of an Icecast as tells how many listen: with so many mounts, without audio. */
export interface FakeIcecast extends AsyncDisposable {
  readonly port: number
  /** How often each page was asked for so far. */
  readonly asked: { xml: number; json: number }
}

/** At each look, a tenth of the mounts has another number of listeners. */
export async function fakeIcecast(mounts: readonly string[]): Promise<FakeIcecast> {
  const asked = { xml: 0, json: 0 }
  const listeners = mounts.map(() => 10)
  const move = (index: number) => {
    if (Math.random() < CHANGING_SHARE) listeners[index] = Math.floor(Math.random() * 1000)
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake')
    if (url.pathname === '/admin/stats') {
      asked.xml += 1
      mounts.forEach((_, index) => move(index))
      response.setHeader('content-type', 'text/xml')
      response.end(
        `<?xml version="1.0"?>\n<icestats>${mounts.map((mount, index) => xml(mount, listeners[index]!)).join('')}</icestats>\n`,
      )
      return
    }
    const index = mounts.indexOf(url.searchParams.get('mount') ?? '')
    if (url.pathname !== '/status-json.xsl' || index < 0) {
      response.writeHead(404).end()
      return
    }
    asked.json += 1
    move(index)
    response.setHeader('content-type', 'application/json')
    response.end(json(mounts[index]!, listeners[index]!))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, asked, [Symbol.asyncDispose]: () => close(server) }
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** The elements that Icecast 2.4.4 shows of a source, in about as many bytes. */
function xml(mount: string, listeners: number): string {
  return `<source mount="${mount}"><audio_info>bitrate=128</audio_info><bitrate>128</bitrate><genre>various</genre><listener_peak>${listeners}</listener_peak><listeners>${listeners}</listeners><listenurl>http://localhost:8000${mount}</listenurl><max_listeners>unlimited</max_listeners><public>0</public><server_description>A channel</server_description><server_name>${mount}</server_name><server_type>audio/mpeg</server_type><slow_listeners>0</slow_listeners><source_ip>127.0.0.1</source_ip><stream_start>Sat, 21 Nov 2026 03:01:59 +0000</stream_start><stream_start_iso8601>2026-11-21T03:01:59+0000</stream_start_iso8601><title>Artist - Title</title><total_bytes_read>123456789</total_bytes_read><total_bytes_sent>987654321</total_bytes_sent><user_agent>Liquidsoap/2.1.3</user_agent></source>`
}

function json(mount: string, listeners: number): string {
  const source = {
    bitrate: 128,
    genre: 'various',
    listener_peak: listeners,
    listeners,
    listenurl: `http://localhost:8000${mount}`,
    server_name: mount,
    server_type: 'audio/mpeg',
    stream_start_iso8601: '2026-11-21T03:01:59+0000',
    title: 'Artist - Title',
  }
  return JSON.stringify({ icestats: { admin: 'icemaster@localhost', host: 'localhost', server_id: 'Icecast 2.4.4', source } })
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How an Icecast that means harm, or is broken, may answer. */
export const attacks = {
  'never answers': () => {},
  'hangs up': (response) => void response.destroy(),
  'answers with 500': (response) => void response.writeHead(500).end('no'),
  'sends a little now and then': (response) => {
    const timer = setInterval(() => response.write('<icestats>'), 50)
    response.once('close', () => clearInterval(timer))
  },
  'sends 100 MB': (response) => {
    const piece = Buffer.alloc(1024 * 1024, page(source('/b', 1)))
    let sent = 0
    const more = () => {
      while (sent < 100) {
        sent += 1
        if (response.write(piece)) continue
        response.once('drain', more)
        return
      }
      response.end()
    }
    more()
  },
  'sends an entity bomb': (response) => {
    const laughs = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')
    response.end(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">${laughs}]>${page(source('/b', 1, '&l30;'))}`)
  },
  'is cut off': (response) => void response.end(page(source('/b', 7)).slice(0, -30)),
  'breaks off before the promised length': (response) => {
    response.writeHead(200, { 'content-length': '1000' }).write(page(source('/b', 7)))
    setImmediate(() => response.destroy())
  },
  'sends UTF-16': (response) => void response.end(Buffer.from(page(source('/b', 7)), 'utf16le')),
  'sends NUL': (response) => void response.end(Buffer.alloc(10_000)),
  'nests deeply': (response) => void response.end(page('<a>'.repeat(100_000))),
  'sends a page': (response) => void response.end('<html><body>Welcome</body></html>'),
  'names hostile mounts': (response) => {
    const names = ['/__proto__', '/../../etc/passwd', '/a\0b', '/w/', `/${'x'.repeat(50_000)}`, '', '&#0;', '/%n%s']
    response.end(page(...names.map((name) => source(name, 7)), source('/b', -1), source('/b', '9'.repeat(40))))
  },
} as const satisfies Record<string, (response: ServerResponse) => void>
export type Attack = keyof typeof attacks

/** A server that takes the place of an Icecast. Its answers can be changed at any time. */
export interface HostileIcecast extends AsyncDisposable {
  readonly port: number
  attack: Attack
  /** How often it was asked, and how many questions it has open. */
  readonly asked: number
  readonly mostOpen: number
}

export async function hostileIcecast(): Promise<HostileIcecast> {
  const state = { attack: 'never answers' as Attack, asked: 0, open: 0, mostOpen: 0 }
  const server = createServer((_: IncomingMessage, response) => {
    state.asked += 1
    state.mostOpen = Math.max(state.mostOpen, ++state.open)
    response.once('close', () => (state.open -= 1))
    response.on('error', () => {})
    attacks[state.attack](response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(state, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function page(...sources: string[]): string {
  return `<?xml version="1.0"?>\n<icestats>${sources.join('')}</icestats>\n`
}

function source(mount: string, listeners: number | string, title = 'T'): string {
  return `<source mount="${mount}"><listeners>${listeners}</listeners><title>${title}</title></source>`
}

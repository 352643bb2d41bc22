import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { freePort, httpGet } from '../src/index.ts'

describe('httpGet', () => {
  let server: Server
  let url: URL
  let handle: RequestListener

  beforeEach(async () => {
    server = createServer((request, response) => handle(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/status`)
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const limits = { timeoutMs: 5000, maxBytes: 1000 }

  test('gives status and body whatever the status is', async () => {
    handle = (request, response) => void response.writeHead(404).end(`no ${request.url}`)
    expect(await httpGet(url, limits)).toEqual({ status: 404, body: 'no /status' })
  })

  test('sends the name and the password that it is given', async () => {
    handle = (request, response) => void response.end(request.headers.authorization)
    const { body } = await httpGet(url, { ...limits, user: 'admin', password: 'a:b' })
    expect(body).toBe(`Basic ${Buffer.from('admin:a:b').toString('base64')}`)
  })

  test('gives up on an answer that has no end', async () => {
    handle = (_, response) => {
      const more = setInterval(() => response.write('x'.repeat(600)), 1)
      response.once('close', () => clearInterval(more))
    }
    await expect(httpGet(url, limits)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('gives up on a server that says nothing, and on one that stops in the middle', async () => {
    handle = () => {}
    await expect(httpGet(url, { ...limits, timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    handle = (_, response) => void response.write('half', () => response.destroy())
    await expect(httpGet(url, limits)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  })

  test('tells that nobody is there', async () => {
    const nobody = new URL(`http://127.0.0.1:${await freePort()}/`)
    await expect(httpGet(nobody, limits)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  })
})

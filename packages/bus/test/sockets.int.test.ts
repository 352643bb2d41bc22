import { beforeEach, expect, test } from '@jest/globals'
import { cutOff, socketOpener } from '../src/kafka/sockets.ts'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

const open = socketOpener({ tls: null, login: null })

/** A connection, and how its other end saw it end. */
async function connected() {
  const broker = createServer().listen(0, '127.0.0.1')
  const connection = once(broker, 'connection') as Promise<[Socket]>
  await once(broker, 'listening')
  const socket = await new Promise<Socket>((resolve) => {
    const opened = open('127.0.0.1', (broker.address() as AddressInfo).port, () => resolve(opened))
  })
  const problem = once(socket, 'error').then(([error]) => (error as Error).message)
  const closed = new Promise((resolve) => void socket.once('close', resolve))
  const [far] = await connection
  broker.close()
  const end = once(far.resume(), 'end').then(
    () => 'in peace',
    (error: NodeJS.ErrnoException) => error.code,
  )
  return { socket, problem, closed, end }
}

let pair: Awaited<ReturnType<typeof connected>>
beforeEach(async () => {
  pair = await connected()
})

test('a connection that is cut off takes what is still on its way with it', async () => {
  pair.socket.write('a record')
  cutOff(pair.socket)
  expect(await pair.end).toBe('ECONNRESET')
  expect(await pair.problem).toBe('the line was cut')
  await pair.closed
})

test('one that was told to end closes all the same', async () => {
  pair.socket.end('goodbye')
  cutOff(pair.socket)
  await pair.closed
  expect(await pair.problem).toBe('the line was cut')
  expect(await pair.end).toBe('in peace')
})

import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { engineFiles } from '../src/adapters/engine-files.ts'
import { engineHandle } from '../src/adapters/engine-handle.ts'
import { engineSocket } from '../src/adapters/engine-socket.ts'
import { localEventFiles } from '../src/adapters/local-event-files.ts'

let home: TemporaryHome
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(async () => {
  await home[Symbol.asyncDispose]()
})

test('asks for another look as long as an engine that hung up has not been seen to end', async () => {
  const files = engineFiles(home.path, 'engine')
  await mkdir(files.run, { recursive: true })
  const connections: Socket[] = []
  const engine = createServer((socket) => {
    connections.push(socket)
    socket.on('data', () => socket.write('{"ok":true,"added":0,"channels":[]}\nEND\r\n'))
  }).listen(files.socket)
  await once(engine, 'listening')

  let changes = 0
  const machine = {
    open(_: string, onChange: () => void) {
      const socket = engineSocket(files.socket, onChange)
      return { socket, events: localEventFiles(files), [Symbol.dispose]: () => socket.close() }
    },
    memoryOf: async () => 1,
  }
  using handle = engineHandle(machine, 'engine', () => (changes += 1))
  expect(await handle.status()).toEqual({ channelsAdded: 0, channels: [] })
  engine.close()
  for (const connection of connections) connection.destroy()
  await waitFor('the end of the connection', () => changes === 1, { timeoutMs: 10_000 })
  for (const looks of [2, 3]) {
    expect(await handle.status()).toBeNull()
    await waitFor(`look ${looks}`, () => changes >= looks, { timeoutMs: 10_000 })
  }
})

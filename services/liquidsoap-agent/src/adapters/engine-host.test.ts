import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import type { EngineHost } from '../ports.ts'
import { engineHost } from './engine-host.ts'
import type { EngineMachine } from './engine-machine.ts'

// A machine at the other end of a connection, of which only that counts here.

let isCut: boolean
let isCutAfterwards: boolean
let answers: boolean
let opened: number
let host: EngineHost

const reach = () => {
  if (isCut) throw new AppError('HOST_UNREACHABLE', 'cut')
}
const machine = {
  async list() {
    reach()
    isCut = isCutAfterwards
    return [{ id: 'e', process: { scriptTag: 't', memoryBytes: 1 } }]
  },
  scriptTag: async () => 't',
  memoryOf: async () => 1,
  readPlans: async () => [],
  open: () => {
    opened += 1
    const ask = async () => {
      reach()
      if (!answers) throw new AppError('ENGINE_UNREACHABLE', 'mute')
      return { ok: true as const, added: 0, channels: [] }
    }
    return { socket: { ask, close() {} }, events: {}, [Symbol.dispose]() {} }
  },
  [Symbol.asyncDispose]: async () => {},
} as unknown as EngineMachine

beforeEach(() => {
  isCut = false
  isCutAfterwards = false
  answers = true
  opened = 0
  host = engineHost(machine, { icecast: { host: 'x', port: 1 } })
})
afterEach(async () => {
  await host[Symbol.asyncDispose]()
})

test('an engine that could not be asked because its host was not reached is none that is silent', async () => {
  expect(await host.list()).toMatchObject([{ state: 'running' }])
  isCutAfterwards = true
  await expect(host.list()).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  isCut = isCutAfterwards = false
  expect(await host.list()).toMatchObject([{ state: 'running' }])
})

test('how long an engine has been silent counts from the moment its host is reached again', async () => {
  await host.list()
  answers = false
  expect(await host.list()).toMatchObject([{ state: 'silent' }])
  expect(opened).toBe(1)
  isCut = true
  answers = true
  await expect(host.list()).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' })
  isCut = false
  expect(await host.list()).toMatchObject([{ state: 'running', silentMs: 0 }])
  expect(opened).toBeGreaterThan(1)
})

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { memoryBus, type MemoryBus } from '@skipcast/bus'
import { testDatabase, type TestDatabase } from '@skipcast/db/testing'
import { freePort, healthBoard, meters, readConfig, silentLogger, waitFor } from '@skipcast/runtime'
import { mailServer, temporaryHome, type TemporaryHome } from '@skipcast/testing'
import { apiEnv, startApi, type Api } from '../src/api.ts'
import { PASSWORD } from './test-people.ts'

let home: TemporaryHome
let database: TestDatabase
let bus: MemoryBus
let owned: AsyncDisposableStack

beforeEach(async () => {
  owned = new AsyncDisposableStack()
  home = owned.use(await temporaryHome())
  database = owned.use(await testDatabase())
  bus = owned.use(memoryBus({ retry: { attempts: 2, firstMs: 20, mostMs: 100 } }))
}, 60_000)

afterEach(() => owned.disposeAsync())

async function start(environment: Record<string, string>): Promise<Api> {
  const given = { DATABASE_URL: database.url, API_PORT: `${await freePort()}`, PUBLIC_URL: 'https://radio.test', ...environment }
  const { api } = readConfig({ api: apiEnv }, given)
  const origin = { application: 'skipcast', environment: 'test' }
  const of = { logger: silentLogger(), health: healthBoard(), meters: meters(), serverId: 'one', origin, onStop: 'stop' as const }
  const started = owned.use(await startApi(api, { bus, home, ...of }))
  const isReady = async () => (await fetch(`${started.url}/readyz`)).status === 200
  await waitFor('the API to be ready', isReady, { timeoutMs: 30_000 })
  return started
}

async function post(api: Api, path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(api.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}
const register = (api: Api, email: string) =>
  post(api, '/api/register', { username: email.split('@')[0], email, password: PASSWORD })
const mailed = (url: string) => ({ SMTP_URL: url, MAIL_FROM: 'Radio <radio@radio.test>' })

test('a registration comes by mail, over outbox, bus and SMTP, and its link opens the account; on the bus nobody can read it', async () => {
  await using smtp = await mailServer()
  const api = await start(mailed(smtp.url))
  const seen: string[] = []
  owned.use(
    bus.consume({ topic: 'mails', group: 'onlooker', handle: async (message) => void seen.push(JSON.stringify(message)) }),
  )
  expect((await register(api, 'ada@radio.test')).status).toBe(201)
  await waitFor('the mail', async () => smtp.mails.length === 1, { timeoutMs: 10_000 })
  const [mail] = smtp.mails
  expect(mail).toMatchObject({ from: 'radio@radio.test', to: ['ada@radio.test'] })
  const link = /https:\/\/radio\.test\/account\/confirm-email#token=(\S+)/.exec(mail!.text)!
  expect((await post(api, '/api/confirm-email', { token: link[1] })).status).toBe(200)
  expect((await post(api, '/api/login', { email: 'ada@radio.test', password: PASSWORD })).status).toBe(200)

  await waitFor('the onlooker', async () => seen.length === 1, { timeoutMs: 10_000 })
  for (const secret of ['ada@', 'confirm_email', link[1]!]) expect(seen[0]).not.toContain(secret)
  // An address that nobody has is mailed nothing, though as much goes over the bus.
  await post(api, '/api/password/forgot', { email: 'nobody@radio.test' })
  await waitFor('the onlooker', async () => seen.length === 2, { timeoutMs: 10_000 })
  expect(seen[1]!.length).toBe(seen[0]!.length)
  await post(api, '/api/password/forgot', { email: 'ada@radio.test' })
  await waitFor('the next mail', async () => smtp.mails.length === 2, { timeoutMs: 10_000 })
  expect(smtp.named).toEqual(['ada@radio.test', 'ada@radio.test'])
})

test('a mail server that is away gets its mails when it is back', async () => {
  const port = await freePort()
  const api = await start(mailed(`smtp://127.0.0.1:${port}`))
  await register(api, 'ada@radio.test')
  await waitFor('the outbox to be empty', async () => (await database.query('SELECT 1 FROM outbox')).length === 0, {
    timeoutMs: 10_000,
  })
  await using smtp = await mailServer(port)
  await waitFor('the mail', async () => smtp.mails.length === 1, { timeoutMs: 20_000 })
  expect(bus.deadLetters('mails')).toEqual([])
})

test('a mail that is refused for good is among the dead letters, and holds up nobody; one that is put off comes later', async () => {
  await using smtp = await mailServer()
  const api = await start(mailed(smtp.url))
  smtp.refusal = { code: 550, message: 'no such mailbox' }
  await register(api, 'gone@radio.test')
  await waitFor('the dead letter', async () => bus.deadLetters('mails').length === 1, { timeoutMs: 10_000 })
  expect(JSON.stringify(bus.deadLetters('mails'))).not.toContain('gone@')
  smtp.refusal = { code: 451, message: 'come again' }
  await register(api, 'busy@radio.test')
  await waitFor('some tries', async () => smtp.named.filter((address) => address === 'busy@radio.test').length > 2, {
    timeoutMs: 10_000,
  })
  smtp.refusal = null
  await waitFor('the mail', async () => smtp.mails.length === 1, { timeoutMs: 10_000 })
  expect(smtp.mails[0]!.to).toEqual(['busy@radio.test'])
  expect(bus.deadLetters('mails').length).toBe(1)
})

test('without a mail server, mails wait on the bus for one', async () => {
  const first = await start({})
  await register(first, 'ada@radio.test')
  await waitFor('the outbox to be empty', async () => (await database.query('SELECT 1 FROM outbox')).length === 0, {
    timeoutMs: 10_000,
  })
  await using smtp = await mailServer()
  await start(mailed(smtp.url))
  await waitFor('the mail', async () => smtp.mails.length === 1, { timeoutMs: 10_000 })
})

import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { hostileStrings } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'
import { PASSWORD, registered, session } from './test-people.ts'

const COUNT = 400
const canary = join(tmpdir(), `skipcast-canary-${process.pid}`)
const strings = hostileStrings(7, COUNT, canary)

let api: TestApi

beforeAll(async () => {
  api = await testApi()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

test('A1, A11: whatever stands in the fields of people is refused or kept as text; nothing of it runs, and no answer is a 5xx', async () => {
  const person = await registered(api)
  const token = await session(api, person)
  const ask = async (method: string, url: string, body: object, by?: string) => {
    const answer = await api.call(method, url, { body, ...(by !== undefined && { token: by }) })
    expect({ status: answer.status < 500 ? 'as wanted' : answer.status, url, body }).toEqual({ status: 'as wanted', url, body })
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    return answer
  }
  const mailed = api.mails.length
  for (const text of strings) {
    const renamed = await ask('PATCH', '/api/account', { name: text }, token)
    if (renamed.status === 200) expect(renamed.body.name).toBe(text)
    await ask('POST', '/api/register', { username: text, email: 'a@radio.test', password: PASSWORD })
    await ask('POST', '/api/register', { username: 'hostile', email: text, password: PASSWORD })
    await ask('POST', '/api/register', { username: 'hostile', email: `${text}@radio.test`, password: 'short' })
    await ask('POST', '/api/login', { email: text, password: 'x'.repeat(200) })
    await ask('POST', '/api/login', { email: person.email, password: PASSWORD, session: text })
    await ask('POST', '/api/password/forgot', { email: text })
    await ask('POST', '/api/password/reset', { token: text, password: PASSWORD })
    await ask('POST', '/api/confirm-email', { token: text })
    await ask('POST', '/api/account/email', { email: text, password: PASSWORD }, token)
    await ask('POST', '/api/account/totp/confirm', { code: text }, token)
    const provider = encodeURIComponent(text.toWellFormed())
    for (const path of [`/api/auth/${provider}`, `/api/auth/google/callback?state=${provider}&code=${provider}`]) {
      const { status } = await api.call('GET', path, { headers: { cookie: `skipcast_session=${provider}; state=${provider}` } })
      expect({ path, isRefused: status >= 400 && status < 500 }).toEqual({ path, isRefused: true })
    }
  }
  expect(existsSync(canary)).toBe(false)
  for (const mail of api.mails.slice(mailed)) if (mail.kind !== 'none') expect(mail.to).toMatch(/^[^\s<>,;]+@[^\s<>,;]+$/)
}, 180_000)

import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { messageOf, waitFor } from '@skipcast/runtime'
import {
  fuzz,
  installSchemathesis,
  mailServer,
  startSkipcast,
  temporaryHome,
  untilReady,
  type MailServer,
} from '@skipcast/testing'

/** In CI 5,000; a nightly run sets 50,000. */
const LEAST_REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 5000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
/** Examples and edge cases alone are more than these; what is left is asked by chance, of more than 100 operations, of which some have not so many different requests. */
const EDGE_CASES = 4000
const CASES = Math.ceil((LEAST_REQUESTS - EDGE_CASES) / 60)
const LIMIT_MS = 600_000 * Math.max(1, LEAST_REQUESTS / 5000)
const PROGRESS_EVERY_MS = 10_000
const DOCUMENT = fileURLToPath(new URL('../../../openapi.yaml', import.meta.url))

test(
  'whatever the document allows or forbids, no answer is a 5xx, and none is other than documented',
  async () => {
    const program = await installSchemathesis().catch((error: unknown) => {
      if (process.env['CI']) throw error
      process.stderr.write(`\nNOT TESTED: the API is not fuzzed, as schemathesis can not be had: ${messageOf(error)}\n\n`)
      return null
    })
    if (program === null) return
    await using home = await temporaryHome()
    await using mails = await mailServer()
    await using skipcast = await startSkipcast(home.path, {
      EVENT_BUS: 'memory',
      API_RATE_LIMIT: '10000000',
      LOGIN_TRIES_PER_ADDRESS: '10000000',
      LOGIN_TRIES_PER_ACCOUNT: '10000000',
      SMTP_URL: mails.url,
      MAIL_FROM: 'radio@radio.test',
    })
    await untilReady(skipcast)
    const token = (await readFile(join(home.path, 'admin-token'), 'utf8')).trim()
    const session = await someSession(skipcast.apiUrl, mails)
    const directory = join(home.path, 'fuzz')
    await mkdir(directory)
    const began = Date.now()
    const tell = setInterval(() => void requestsOf(skipcast.apiUrl, token).then(show), PROGRESS_EVERY_MS)
    const show = (count: number) =>
      process.stderr.write(`fuzzing: ${count} requests after ${Math.round((Date.now() - began) / 1000)} s\n`)
    const options = {
      document: DOCUMENT,
      url: skipcast.apiUrl,
      token,
      session,
      seed: SEED,
      cases: CASES,
      limitMs: LIMIT_MS,
      directory,
    }
    const { requests, isClean, text } = await fuzz(program, { ...options, onText: () => {} }).finally(() => clearInterval(tell))
    show(requests)
    expect(isClean ? '' : text).toBe('')
    expect(requests).toBeGreaterThanOrEqual(LEAST_REQUESTS)
  },
  300_000 + LIMIT_MS,
)

/** Registers somebody, opens the link in the mail, and logs in. */
async function someSession(url: string, { mails }: MailServer): Promise<string> {
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return (await answer.json()) as { token: string }
  }
  const [email, password] = ['fuzz@radio.test', 'nobody guesses this one']
  await post('/api/register', { username: 'fuzz', email, password })
  const token = await waitFor('the mail', async () => /#token=(\S+)/.exec(mails[0]?.text ?? '')?.[1], { timeoutMs: 20_000 })
  await post('/api/confirm-email', { token })
  return (await post('/api/login', { email, password })).token
}

/** How many requests the API has answered, as it tells Prometheus; 0 where it does not. */
async function requestsOf(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).catch(() => null)
  const counts = (await response?.text())?.matchAll(/^skipcast_http_request_duration_seconds_count\S* (\d+)/gm) ?? []
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

import { createHmac } from 'node:crypto'
import type { TestApi } from './test-api.ts'

export const PASSWORD = 'correct horse battery'

/** Somebody who registered and confirmed their address. */
export interface TestPerson {
  readonly id: string
  readonly email: string
  readonly username: string
}

let people = 0

/** Registers somebody with an address of their own, and opens the link in the mail. */
export async function registered(api: TestApi, password = PASSWORD): Promise<TestPerson> {
  const username = `person-${people++}`
  const email = `${username}@radio.test`
  const made = await api.call('POST', '/api/register', { body: { username, email, password } })
  if (made.status !== 201) throw new Error(`not registered: ${made.text}`)
  await api.call('POST', '/api/confirm-email', { body: { token: tokenTo(api, email) } })
  return { id: made.body.user.id, email, username }
}

/** The token in the last mail to somebody. */
export function tokenTo(api: TestApi, email: string): string {
  const mail = api.mails.findLast((each) => each.kind !== 'none' && each.to === email)
  const token = mail && mail.kind !== 'none' && /#token=(.+)$/.exec(mail.link)?.[1]
  if (!token) throw new Error(`no mail with a link went to ${email}`)
  return token
}

/** The token of a new session. */
export async function session(api: TestApi, { email }: TestPerson, password = PASSWORD): Promise<string> {
  const answer = await api.call('POST', '/api/login', { body: { email, password } })
  if (answer.status !== 200) throw new Error(`not logged in: ${answer.text}`)
  return answer.body.token
}

/** What an authenticator shows (RFC 6238), with its secret from an `otpauth:` URI. */
export function totp(uri: string, atMs: number = Date.now()): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = Array.from(new URL(uri).searchParams.get('secret')!.replaceAll('=', ''))
    .map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)))
  const digest = createHmac('sha1', key).update(counter).digest()
  return String((digest.readUInt32BE(digest.at(-1)! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

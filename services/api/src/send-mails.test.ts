import { expect, test } from '@jest/globals'
import { stamp } from '@skipcast/contracts'
import { AppError, silentLogger } from '@skipcast/runtime'
import type { Mail } from './domain/mail.ts'
import { mailSender } from './send-mails.ts'

const origin = { application: 'skipcast', environment: 'test' }
const message = { ...stamp(origin, 0, 'm'), event: 'mail_requested' as const, sealed: 'x', expires_at: 1 }
const reset = { kind: 'reset_password', to: 'ada@radio.test', link: 'https://radio.test/#token=x' } as const

/** A sender at `now` ms after the mail was asked for, whose mail server fails as told. */
function sender(mail: Mail | null, { now = 0, failure }: { now?: number; failure?: Error } = {}) {
  const sent: { to: string; text: string }[] = []
  const send = mailSender({
    sealer: { seal: async () => 'x', open: async () => mail },
    postbox: {
      async send(each) {
        if (failure) throw failure
        sent.push(each)
      },
    },
    logger: silentLogger(),
    clock: () => now,
  })
  return { send: () => send(message), sent }
}

test('a mail goes out with its link, and with nothing else that somebody chose', async () => {
  const { send, sent } = sender(reset)
  await send()
  expect(sent).toMatchObject([{ id: 'm', to: 'ada@radio.test', subject: 'Skipcast: Set a new password' }])
  expect(sent[0]!.text).toContain(`\n${reset.link}\n`)
})

test('what has expired, and what goes to nobody, is not sent', async () => {
  for (const mail of [null, { kind: 'none' } as const]) {
    const { send, sent } = sender(mail)
    await send()
    expect(sent).toEqual([])
  }
})

test('a server that puts one mail off is asked again for a quarter of an hour; one that is away, for ever', async () => {
  const deferred = new AppError('MAIL_UNAVAILABLE', 'come again', { details: 'deferred' })
  const away = new AppError('MAIL_UNAVAILABLE', 'away')
  const late = 15 * 60_000
  const retries = async (now: number, failure: Error) => {
    const error = await sender(reset, { now, failure })
      .send()
      .catch((thrown: unknown) => thrown)
    return error instanceof AppError && error.kind.retryable
  }
  expect([await retries(late - 1, deferred), await retries(late, deferred)]).toEqual([true, false])
  expect(await retries(late * 100, away)).toBe(true)
})

import { expect, test } from '@jest/globals'
import { sentKinds } from '../domain/mail.ts'
import { sealedMails } from './sealed-mails.ts'

const mail = { kind: 'reset_password', to: 'ada@radio.test', link: 'https://radio.test/account/reset-password#token=x' } as const
const soon = () => new Date(Date.now() + 60_000)

test('a mail is read with the secret it was sealed with, and with no other', async () => {
  const sealer = sealedMails('a'.repeat(32))
  const sealed = await sealer.seal(mail, soon())
  expect(await sealer.open(sealed)).toEqual(mail)
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('ada@')
  await expect(sealedMails('b'.repeat(32)).open(sealed)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  for (const broken of ['', 'x', `${sealed.slice(0, -4)}AAAA`])
    await expect(sealer.open(broken)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
})

test('a mail of each kind that is sent can be read again', async () => {
  const sealer = sealedMails('a'.repeat(32))
  for (const kind of sentKinds) expect(await sealer.open(await sealer.seal({ ...mail, kind }, soon()))).toEqual({ ...mail, kind })
  expect(sentKinds).toEqual(expect.arrayContaining(['invitation', 'email_wanted', 'email_to_change', 'email_changed']))
})

test('a mail whose link has expired is not read any more', async () => {
  const sealer = sealedMails('a'.repeat(32))
  expect(await sealer.open(await sealer.seal(mail, new Date(Date.now() - 1000)))).toBeNull()
})

test('no mail tells its kind by its length', async () => {
  const sealer = sealedMails('a'.repeat(32))
  const lengths = await Promise.all(
    [mail, { ...mail, to: `${'a'.repeat(200)}@radio.test` }, { kind: 'none' } as const].map((each) => sealer.seal(each, soon())),
  )
  expect(new Set(lengths.map(({ length }) => length)).size).toBe(1)
})

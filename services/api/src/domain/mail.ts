/** What mails are about. */
export type Mail =
  | { readonly kind: keyof typeof TEXTS; readonly to: string; readonly link: string }
  /** To nobody: where an address is not known, as much is done as where it is. */
  | { readonly kind: 'none' }

const NOT_YOU = 'If this was not you, there is nothing to do.'

const TEXTS = {
  confirm_email: {
    subject: 'Confirm your address',
    lines: ['Open this link to confirm your address. It works once, within a day.'],
    closing: NOT_YOU,
  },
  reset_password: {
    subject: 'Set a new password',
    lines: ['Open this link to set a new password. It works once, within an hour, and ends all your sessions and tokens.'],
    closing: NOT_YOU,
  },
  already_registered: {
    subject: 'You have an account already',
    lines: ['Somebody registered with your address, but there is an account with it. If you forgot its password, set a new one:'],
    closing: NOT_YOU,
  },
  password_changed: {
    subject: 'Your password was changed',
    lines: [
      'The password of your account was changed just now, and your other sessions have ended. If this was not you, set a new one:',
    ],
    closing: 'Whoever changed it is locked out then.',
  },
  invitation: {
    subject: 'An account was made for you',
    lines: ['An administrator made an account for you. Open this link to set its password. It works once, within a week.'],
    closing: 'If you expect no such thing, there is nothing to do.',
  },
  /** To the address that is to be proved; the next two, to the one before. */
  email_wanted: {
    subject: 'Confirm your new address',
    lines: ['Open this link to log in with this address from now on. It works once, within a day.'],
    closing: NOT_YOU,
  },
  email_to_change: {
    subject: 'Your address is to change',
    lines: [
      'Somebody with the password of your account wants it to have another address, and was sent a link there. If this was not you, set a new password, which ends that link:',
    ],
    closing: 'If it was you, there is nothing to do here.',
  },
  email_changed: {
    subject: 'Your address was changed',
    lines: [
      'Your account has another address from now on: no mail about it will come here any more. It was confirmed from there.',
    ],
    closing: 'If this was not you, tell whoever runs this station.',
  },
} as const

/** Of each mail that goes out. */
export const sentKinds = Object.keys(TEXTS) as (keyof typeof TEXTS)[]

/** What a mail says: plain text, with nothing in it that a stranger chose but the link, which is ours. */
export function mailText({ kind, link }: Exclude<Mail, { kind: 'none' }>): { subject: string; text: string } {
  const { subject, lines, closing } = TEXTS[kind]
  return { subject: `Skipcast: ${subject}`, text: [...lines, '', link, '', closing, ''].join('\n') }
}

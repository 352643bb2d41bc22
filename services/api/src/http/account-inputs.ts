import { z } from 'zod'
import { allPermissions } from '../domain/roles.ts'
import { id, text } from './inputs.ts'

/** What the API takes about people: users, tokens, log-ins. Unknown fields are refused by name. */

export const userParams = z.object({ user: z.string().min(1).max(200).meta({ description: 'The user’s id.' }) })

export const tokenParams = z.object({
  token: z.string().min(1).max(200).meta({ description: 'The token’s id, never the token itself.' }),
})

const role = z.enum(['admin', 'dj', 'listener'])
const MAX_TOKEN_DAYS = 3650

const username = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, dot, dash and underscore')

const MIN_PASSWORD = 10
/** As the library has it. */
const MAX_PASSWORD = 128
const MAX_EMAIL = 254
const email = z.email('must be an e-mail address').max(MAX_EMAIL)
const newPassword = z
  .string()
  .min(MIN_PASSWORD, `must have at least ${MIN_PASSWORD} characters`)
  .max(MAX_PASSWORD, `must have at most ${MAX_PASSWORD} characters`)
  .meta({ description: 'Length counts, not kinds of characters.' })
const password = z.string().min(1).max(1000)
const mailToken = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/, 'is no token from a mail')
  .meta({ description: 'From the link in the mail, after `#token=`.' })
const code = z.string().min(1).max(64)
const sessionKind = z.enum(['token', 'cookie']).default('token').meta({
  description:
    'token: it is told, for programs. cookie: it is kept by the browser, where no script can read it, and `token` is null.',
})

export const newUser = z.strictObject({
  username,
  role: role.default('listener'),
  name: text(0, 255, 'up to 255 characters').default('').meta({ description: 'What others call them.' }),
  email: email.optional().meta({ description: 'They are invited: a mail brings a link by which they set a password.' }),
})

export const registration = z
  .strictObject({
    username,
    name: text(0, 255, 'up to 255 characters').default('').meta({ description: 'What others call you.' }),
    email,
    password: newPassword,
    password_confirmation: z.string().max(1000).optional().meta({ description: 'If given, the same again.' }),
  })
  .refine((given) => given.password_confirmation === undefined || given.password_confirmation === given.password, {
    path: ['password_confirmation'],
    error: 'is not the same as password',
  })
  .refine((given) => !isGuessable(given.password, [given.username, given.email, given.email.split('@')[0]!]), {
    path: ['password'],
    error: 'must be more than your user name or address',
  })

/** Whether nearly nothing is left of a password without a name that everybody knows. */
function isGuessable(secret: string, names: readonly string[]): boolean {
  const left = names.map((each) => secret.toLowerCase().replaceAll(each.toLowerCase(), '').length)
  return Math.min(...left) <= MIN_PASSWORD / 2
}

export const logInRequest = z.strictObject({
  email: z.string().min(1).max(MAX_EMAIL),
  password,
  code: code.optional().meta({ description: 'Of the authenticator, or a recovery code, where the account has a second factor.' }),
  session: sessionKind,
})

export const mailRequest = z.strictObject({ email })
export const confirmation = z.strictObject({ token: mailToken })
export const passwordReset = z.strictObject({ token: mailToken, password: newPassword })
export const passwordChange = z.strictObject({ current_password: password, password: newPassword })
export const emailChange = z.strictObject({ email, password })
export const sessionParams = z.object({ session: z.string().min(1).max(200).meta({ description: 'The session’s id.' }) })
export const accountChange = z.strictObject({ name: text(0, 255, 'up to 255 characters') })
export const accountEnd = z.strictObject({
  password: password.optional().meta({ description: 'Of the account, if it has one.' }),
  erase: z.boolean().default(false).meta({ description: 'Whether nothing that is yours stays: see above.' }),
})
export const userEnd = z.strictObject({
  erase: z.enum(['true', 'false']).default('false').meta({ description: 'Whether nothing that is theirs stays.' }),
})
export const passwordProof = z.strictObject({ password })
export const totpCode = z.strictObject({ code })

export const providerParams = z.object({ provider: z.string().min(1).max(50) })
export const providerQuery = z.strictObject({ session: sessionKind })
/** Whatever the provider likes to add. */
export const callbackQuery = z.object({
  code: z.string().max(4000).optional(),
  state: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,200}$/, 'is none of ours')
    .optional(),
  error: z.string().max(500).optional(),
})

export const userChange = z
  .strictObject({
    role: role.optional(),
    premium: z.boolean().optional().meta({ description: 'May have any number of channels.' }),
  })
  .refine(({ role: given, premium }) => given !== undefined || premium !== undefined, 'must have role or premium')

export const newToken = z.strictObject({
  name: text(1, 100, '1 to 100 characters').meta({ description: 'What it is for.' }),
  expires_in_days: z
    .int()
    .min(1)
    .max(MAX_TOKEN_DAYS)
    .optional()
    .meta({ description: 'Without it, the token works until it is revoked.' }),
  scopes: z
    .array(z.enum(allPermissions))
    .max(100)
    .optional()
    .meta({ description: 'What it is good for; without it, for all that its user may. A token hands on no more than it has.' }),
  user_id: id.optional().meta({ description: 'Whom it speaks for: yourself, if left out. Only an admin may name others.' }),
})

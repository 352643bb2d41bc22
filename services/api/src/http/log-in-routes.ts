import type { ApiPorts } from '../ports.ts'
import { confirmation, logInRequest, mailRequest, passwordReset, registration } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { handOut, requireOwnPage, sessionCookie } from './credentials.ts'
import { messageBody, sessionBody, showUser, userBody } from './views.ts'
import { z } from 'zod'

const tags = ['log-ins']
const SENT = 'If there is something to do for this address, a mail is on its way.'

/** Registering, logging in and out, and what comes by mail. No answer tells whether an address is known. */
export function logInRoutes(app: App, { stores, logIns, settings }: ApiPorts): void {
  app.post('/api/register', {
    config: { access: 'public', isTry: true, refusals: [403, 409] },
    schema: {
      tags,
      summary: 'Register',
      description:
        'A mail brings a link; who has not opened it within a day has to register again. The role is the operator’s choice (REGISTRATION_ROLE). An address that is known already is answered in the same way, and its owner is told by mail.',
      body: registration,
      response: {
        201: messageBody.extend({ user: userBody, token: z.null().meta({ description: 'Comes with POST /api/login.' }) }),
      },
    },
    async handler({ body }, reply) {
      const user = await logIns.register(body)
      const message = 'Open the link in the mail that we sent you, then log in.'
      return reply.code(201).send({ message, user: showUser(user), token: null })
    },
  })

  app.post('/api/confirm-email', {
    config: { access: 'public', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'Confirm an address',
      description:
        'With the token from the mail, which is good for one use within a day: of a registration, or of another address.',
      body: confirmation,
      response: { 200: messageBody },
    },
    async handler({ body }) {
      await logIns.confirmEmail(body.token)
      return { message: 'The address is confirmed. You can log in with it now.' }
    },
  })

  app.post('/api/confirm-email/resend', {
    config: { access: 'public', isTry: true },
    schema: { tags, summary: 'Ask for the mail of confirmation again', body: mailRequest, response: { 202: messageBody } },
    async handler({ body }, reply) {
      await logIns.requestConfirmation(body.email)
      return reply.code(202).send({ message: SENT })
    },
  })

  app.post('/api/login', {
    config: { access: 'public', isTry: true, refusals: [401, 403] },
    schema: {
      tags,
      summary: 'Log in',
      description:
        'Begins a new session, whatever the request brought along. With a second factor, the first try is answered 401 SECOND_FACTOR_NEEDED: send `code`, too.',
      body: logInRequest,
      response: { 200: sessionBody },
    },
    async handler(request, reply) {
      const { email, password, code = null, session } = request.body
      if (session === 'cookie') requireOwnPage(request, settings.publicUrl)
      const logIn = await logIns.logIn(email, password, code)
      const token = handOut(reply, logIn, session, settings.publicUrl)
      return reply.send({ user: showUser(logIn.user), token, expires_at: logIn.expiresAt.toISOString() })
    },
  })

  app.post('/api/logout', {
    config: { access: 'session:end' },
    schema: {
      tags,
      summary: 'Log out',
      description: 'Ends what this very request was made with: the session, or the token. Others go on.',
      response: { 200: messageBody },
    },
    async handler({ actor, credential }, reply) {
      const { kind, id, by } = credential
      await (kind === 'session' ? stores.accounts.endSession(actor.id, id) : stores.accounts.revokeToken(id))
      if (by === 'cookie') void reply.header('set-cookie', sessionCookie(settings.publicUrl, '', new Date(0)))
      return reply.send({ message: 'Logged out successfully' })
    },
  })

  app.post('/api/password/forgot', {
    config: { access: 'public', isTry: true },
    schema: { tags, summary: 'Ask for a link that sets a new password', body: mailRequest, response: { 202: messageBody } },
    async handler({ body }, reply) {
      await logIns.requestPasswordReset(body.email)
      return reply.code(202).send({ message: SENT })
    },
  })

  app.post('/api/password/reset', {
    config: { access: 'public', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'Set a new password',
      description:
        'With the token from the mail, which is good for one use within an hour. All sessions and tokens of the account end; its address counts as confirmed.',
      body: passwordReset,
      response: { 200: messageBody },
    },
    async handler({ body }) {
      await logIns.resetPassword(body.token, body.password)
      return { message: 'The password is set. Log in with it.' }
    },
  })
}

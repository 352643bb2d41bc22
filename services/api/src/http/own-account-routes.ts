import { AppError } from '@skipcast/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { endAccount } from '../end-account.ts'
import type { ApiPorts, LogIn } from '../ports.ts'
import { accountChange, accountEnd, passwordChange, passwordProof, totpCode } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { handOut, sessionCookie } from './credentials.ts'
import { accountBody, sessionBody, showAccount, showUser } from './views.ts'

const tags = ['account']

/** What people do with their own account. All but looking needs a session: a token for programs can't take an account over. */
export function ownAccountRoutes(app: App, ports: ApiPorts): void {
  const { logIns, settings } = ports
  const { accounts } = ports.stores

  const accountOf = async (userId: string) => {
    const account = await accounts.findAccount(userId)
    if (!account) throw new AppError('UNAUTHENTICATED', 'This account was deleted.')
    return account
  }
  /** A session that goes on as another is handed out as the one before was. */
  const goOn = ({ credential }: FastifyRequest, reply: FastifyReply, logIn: LogIn) => {
    const token = handOut(reply, logIn, credential.by === 'cookie' ? 'cookie' : 'token', settings.publicUrl)
    return reply.send({ user: showUser(logIn.user), token, expires_at: logIn.expiresAt.toISOString() })
  }

  app.get('/api/account', {
    config: { access: 'account:read' },
    schema: { tags, summary: 'Read your account', response: { 200: accountBody } },
    handler: async ({ actor }) => showAccount(await accountOf(actor.id)),
  })

  app.patch('/api/account', {
    config: { access: 'account:change' },
    schema: { tags, summary: 'Change what others call you', body: accountChange, response: { 200: accountBody } },
    async handler({ actor, body }) {
      await accounts.rename(actor.id, body.name)
      return showAccount(await accountOf(actor.id))
    },
  })

  app.post('/api/account/password', {
    config: { access: 'account:change', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'Change your password',
      description: 'All sessions end, this one too: the answer holds a new one. Tokens for programs go on.',
      body: passwordChange,
      response: { 200: sessionBody },
    },
    async handler(request, reply) {
      const { current_password: current, password } = request.body
      return goOn(request, reply, await logIns.changePassword(request.credential.token, current, password))
    },
  })

  app.delete('/api/account', {
    config: { access: 'account:delete', isTry: true, refusals: [409, 422] },
    schema: {
      tags,
      summary: 'Delete your account',
      description:
        'Sessions, tokens and streams of its channels end at once. The address is free again, the user name is not; channels and media stay, off air, until an admin removes them.',
      body: accountEnd,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ actor, body, credential }, reply) {
      const { providers } = await accountOf(actor.id)
      if (providers.includes('credential')) {
        if (body.password === undefined) throw new AppError('BAD_REQUEST', 'password: is missing')
        await logIns.requirePassword(actor.id, body.password)
      }
      await endAccount(ports, actor.id)
      if (credential.by === 'cookie') void reply.header('set-cookie', sessionCookie(settings.publicUrl, '', new Date(0)))
      return reply.code(204).send()
    },
  })

  app.post('/api/account/totp', {
    config: { access: 'account:change', isTry: true, refusals: [409, 422] },
    schema: {
      tags,
      summary: 'Begin a second factor',
      description:
        'The answer is for your authenticator, shown this once; it counts after `POST /api/account/totp/confirm`. Each recovery code opens the account once, if the authenticator is lost.',
      body: passwordProof,
      response: { 200: z.object({ uri: z.string(), recovery_codes: z.array(z.string()) }) },
    },
    async handler({ body, credential }, reply) {
      const { uri, recoveryCodes } = await logIns.beginTotp(credential.token, body.password)
      return reply.header('cache-control', 'no-store').send({ uri, recovery_codes: [...recoveryCodes] })
    },
  })

  app.post('/api/account/totp/confirm', {
    config: { access: 'account:change', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'Confirm the second factor by a code',
      description: 'From now on, a log-in needs one. The session goes on as another: take its token from the answer.',
      body: totpCode,
      response: { 200: sessionBody },
    },
    handler: async (request, reply) =>
      goOn(request, reply, await logIns.confirmTotp(request.credential.token, request.body.code)),
  })

  app.delete('/api/account/totp', {
    config: { access: 'account:change', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'End the second factor',
      description: 'The session goes on as another: take its token from the answer.',
      body: passwordProof,
      response: { 200: sessionBody },
    },
    handler: async (request, reply) =>
      goOn(request, reply, await logIns.endTotp(request.credential.token, request.body.password)),
  })
}

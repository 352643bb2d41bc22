import { Readable } from 'node:stream'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { endAccount } from '../end-account.ts'
import type { ApiPorts } from '../ports.ts'
import { accountChange, accountEnd, emailChange, passwordChange } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { exportBody, exportText } from './account-export.ts'
import { goOn, sessionCookie } from './credentials.ts'
import { accountBody, messageBody, sessionBody, showAccount } from './views.ts'

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

  app.get('/api/account', {
    config: { access: 'account:read' },
    schema: { tags, summary: 'Read your account', response: { 200: accountBody } },
    handler: async ({ actor }) => showAccount(await accountOf(actor.id)),
  })

  app.get('/api/account/export', {
    config: { access: 'account:export', isTry: true },
    schema: {
      tags,
      summary: 'Get all that is kept about you',
      description:
        'One JSON document, sent as it is read. Of secrets (passwords, tokens, second factors) only that there are such. Who listened to what is not kept at all. An answer that ends early is no JSON: ask again.',
      response: { 200: { description: 'All of it', content: { 'application/json': { schema: exportBody } } } },
    },
    async handler({ actor }, reply) {
      const text = exportText(ports.stores.personalData, await accountOf(actor.id), new Date())
      return reply
        .type('application/json')
        .headers({ 'cache-control': 'no-store', 'content-disposition': 'attachment; filename="skipcast-account.json"' })
        .send(Readable.from(text) as never) // a stream is sent as it is; the types know answers only whole
    },
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
      const logIn = await logIns.changePassword(request.credential.token, current, password)
      return goOn(request, reply, logIn, settings.publicUrl)
    },
  })

  app.post('/api/account/email', {
    config: { access: 'account:change', isTry: true, refusals: [422] },
    schema: {
      tags,
      summary: 'Change your e-mail address',
      description:
        'A link goes to the new address, and word to the one before. Nothing changes until the link is used, within a day; a new password ends it. The answer does not tell whether the address is known.',
      body: emailChange,
      response: { 202: messageBody },
    },
    async handler({ actor, body }, reply) {
      await logIns.requestEmailChange(actor.id, body.password, body.email)
      return reply.code(202).send({ message: 'Open the link in the mail to the new address.' })
    },
  })

  app.delete('/api/account', {
    config: { access: 'account:delete', isTry: true, refusals: [409, 422] },
    schema: {
      tags,
      summary: 'Delete your account',
      description:
        'Sessions, tokens and streams of its channels end at once. The address is free again, the user name is not. Channels and media are in the trash, and gone with it. With `erase`, within minutes nothing of yours is left: channels with their history, media with their files and places in the playlists of others, tokens, and the user name, which is free again; titles stay in what others’ channels have played. There is no way back; GET /api/account/export first.',
      body: accountEnd,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ actor, body, credential }, reply) {
      const { providers } = await accountOf(actor.id)
      if (providers.includes('credential')) {
        if (body.password === undefined) throw new AppError('BAD_REQUEST', 'password: is missing')
        await logIns.requirePassword(actor.id, body.password)
      }
      await endAccount(ports, actor.id, body)
      if (credential.by === 'cookie') void reply.header('set-cookie', sessionCookie(settings.publicUrl, '', new Date(0)))
      return reply.code(204).send()
    },
  })
}

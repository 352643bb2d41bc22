import type { Identity, Role, User } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { mayGrant, mayHandOn } from '../domain/roles.ts'
import { endAccount } from '../end-account.ts'
import type { ApiPorts } from '../ports.ts'
import { newToken, newUser, tokenParams, userChange, userEnd, userParams } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { pageQuery, toListRequest, userList } from './inputs.ts'
import { pageBody, showPage, showToken, showUser, tokenBody, userBody } from './views.ts'

const tags = ['accounts']
const DAY_MS = 86_400_000

export function accountRoutes(app: App, ports: ApiPorts): void {
  const { accounts } = ports.stores

  app.get('/api/users', {
    config: { access: 'users:read' },
    schema: {
      tags,
      summary: 'List users',
      querystring: userList,
      response: { 200: pageBody(userBody) },
    },
    handler: async ({ query }) => showPage(await accounts.listUsers(toListRequest(query)), query, showUser),
  })

  app.post('/api/users', {
    config: { access: 'users:create', refusals: [409] },
    schema: {
      tags,
      summary: 'Make a user',
      description:
        'With an `email`, they get a mail with a link that sets their password within a week; after that, `POST /api/password/forgot` sends another. Without one, give them a token next: `POST /api/tokens` with their `user_id`.',
      body: newUser,
      response: { 201: userBody },
    },
    async handler({ actor, credential, body }, reply) {
      requireGrant(actor, credential, body.role)
      const made = await accounts.createUser(body)
      if (body.email !== undefined) await ports.logIns.invite({ id: made.id, email: body.email })
      return reply.code(201).send(showUser(made))
    },
  })

  app.patch('/api/users/:user', {
    config: { access: 'users:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Change a user’s role, or whether they are premium',
      description: 'Their tokens follow at once. The only administrator stays one.',
      params: userParams,
      body: userChange,
      response: { 200: userBody },
    },
    async handler({ actor, credential, params, body }) {
      if (body.role) requireGrant(actor, credential, body.role)
      return showUser(await accounts.changeUser(params.user, body))
    },
  })

  app.delete('/api/users/:user', {
    config: { access: 'users:delete', refusals: [409] },
    schema: {
      tags,
      summary: 'Delete a user',
      description:
        'As if they had done it themselves: sessions, tokens and streams end. With `erase=true`, nothing that is theirs stays, also of somebody who was deleted before. The only administrator stays.',
      params: userParams,
      querystring: userEnd,
      response: { 204: z.undefined().describe('They are gone') },
    },
    async handler({ params, query }, reply) {
      const wasThere = await endAccount(ports, params.user, { erase: query.erase === 'true' })
      if (!wasThere) throw new AppError('NOT_FOUND', 'There is no such user.')
      return reply.code(204).send()
    },
  })

  app.get('/api/tokens', {
    config: { access: 'tokens:read' },
    schema: {
      tags,
      summary: 'List your tokens, newest first',
      description: 'An admin sees everybody’s. No secret is ever shown.',
      querystring: pageQuery,
      response: { 200: pageBody(tokenBody) },
    },
    async handler({ actor, query }) {
      const userId = actor.role === 'admin' ? null : actor.id
      return showPage(await accounts.listTokens(userId, { page: query.page, perPage: query.per_page }), query, showToken)
    },
  })

  app.post('/api/tokens', {
    config: { access: 'tokens:create', refusals: [403, 404, 409] },
    schema: {
      tags,
      summary: 'Make a token',
      description: 'The answer holds its secret, `token`. Keep it: it is shown this once.',
      body: newToken,
      response: { 201: tokenBody.extend({ token: z.string() }) },
    },
    async handler({ actor, credential, body }, reply) {
      const userId = body.user_id ?? actor.id
      const scopes = body.scopes ?? credential.scopes
      if (!mayHandOn(credential.scopes, scopes))
        throw new AppError('FORBIDDEN', `scopes: a token hands on no more than it has: ${credential.scopes?.join(', ')}.`)
      if (userId !== actor.id && actor.role !== 'admin')
        throw new AppError('FORBIDDEN', 'user_id: only an admin may make tokens for others.')
      const expiry = body.expires_in_days && { expiresAt: new Date(Date.now() + body.expires_in_days * DAY_MS) }
      const issued = await accounts.createToken(userId, body.name, { ...expiry, ...(scopes && { scopes }) })
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...showToken(issued), token: issued.secret })
    },
  })

  app.delete('/api/tokens/:token', {
    config: { access: 'tokens:revoke' },
    schema: {
      tags,
      summary: 'Revoke a token',
      description: 'It opens nothing from now on, and stays in the list.',
      params: tokenParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ apiToken }, reply) {
      await accounts.revokeToken(apiToken.id)
      return reply.code(204).send()
    },
  })
}

/** A token with scopes speaks for no whole role, so it gives none but the least. */
function requireGrant(actor: User, { scopes }: Identity['credential'], role: Role): void {
  if (!mayGrant(actor.role, role)) throw new AppError('FORBIDDEN', 'Nobody can give a role that may do more than their own.')
  if (scopes !== null && role !== 'listener')
    throw new AppError('FORBIDDEN', 'A token with scopes can not give a role that may do more than they say.')
}

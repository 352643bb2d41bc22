import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { mayGrant } from '../domain/roles.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { newToken, newUser, pageQuery, roleChange, toListRequest, tokenParams, userList, userParams } from './inputs.ts'
import { pageBody, showPage, showToken, showUser, tokenBody, userBody } from './views.ts'

const tags = ['accounts']
const DAY_MS = 86_400_000

export function accountRoutes(app: App, { stores }: ApiPorts): void {
  const { accounts } = stores

  app.get('/api/users', {
    config: { access: 'admin' },
    schema: {
      tags,
      summary: 'List users',
      querystring: userList,
      response: { 200: pageBody(userBody) },
    },
    handler: async ({ query }) => showPage(await accounts.listUsers(toListRequest(query)), query, showUser),
  })

  app.post('/api/users', {
    config: { access: 'admin', refusals: [409] },
    schema: {
      tags,
      summary: 'Make a user',
      description: 'Give them a token next: `POST /api/tokens` with their `user_id`.',
      body: newUser,
      response: { 201: userBody },
    },
    async handler({ actor, body }, reply) {
      if (!mayGrant(actor.role, body.role)) refuseGrant()
      return reply.code(201).send(showUser(await accounts.createUser(body)))
    },
  })

  app.patch('/api/users/:user', {
    config: { access: 'admin', refusals: [409] },
    schema: {
      tags,
      summary: 'Change a user’s role',
      description: 'Their tokens follow at once. The only administrator stays one.',
      params: userParams,
      body: roleChange,
      response: { 200: userBody },
    },
    async handler({ actor, params, body }) {
      if (!mayGrant(actor.role, body.role)) refuseGrant()
      return showUser(await accounts.changeRole(params.user, body.role))
    },
  })

  app.get('/api/tokens', {
    config: { access: 'signed_in' },
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
    config: { access: 'signed_in', refusals: [403, 404, 409] },
    schema: {
      tags,
      summary: 'Make a token',
      description: 'The answer holds its secret, `token`. Keep it: it is shown this once.',
      body: newToken,
      response: { 201: tokenBody.extend({ token: z.string() }) },
    },
    async handler({ actor, body }, reply) {
      const userId = body.user_id ?? actor.id
      if (userId !== actor.id && actor.role !== 'admin')
        throw new AppError('FORBIDDEN', 'user_id: only an admin may make tokens for others.')
      const expiry = body.expires_in_days && { expiresAt: new Date(Date.now() + body.expires_in_days * DAY_MS) }
      const issued = await accounts.createToken(userId, body.name, { ...expiry })
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...showToken(issued), token: issued.secret })
    },
  })

  app.delete('/api/tokens/:token', {
    config: { access: 'token_owner' },
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

function refuseGrant(): never {
  throw new AppError('FORBIDDEN', 'Nobody can give a role that may do more than their own.')
}

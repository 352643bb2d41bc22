import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { sessionParams } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { sessionCookie } from './credentials.ts'

const tags = ['account']

const sessionList = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      created_at: z.iso.datetime(),
      expires_at: z.iso.datetime(),
      is_current: z.boolean().meta({ description: 'What this very request was made with.' }),
    }),
  ),
})

/** One's own log-ins: which there are, and how to end them, as after a lost laptop. */
export function sessionRoutes(app: App, { stores: { accounts }, settings }: ApiPorts): void {
  app.get('/api/account/sessions', {
    config: { access: 'account:read' },
    schema: {
      tags,
      summary: 'List your sessions, newest first',
      description: 'Addresses and browsers are not kept, so none is shown.',
      response: { 200: sessionList },
    },
    async handler({ actor, credential }) {
      const sessions = await accounts.listSessions(actor.id)
      return {
        data: sessions.map(({ id, createdAt, expiresAt }) => ({
          id,
          created_at: createdAt.toISOString(),
          expires_at: expiresAt.toISOString(),
          is_current: id === credential.id,
        })),
      }
    },
  })

  app.delete('/api/account/sessions/:session', {
    config: { access: 'account:change' },
    schema: {
      tags,
      summary: 'End one of your sessions',
      params: sessionParams,
      response: { 204: z.undefined().describe('It opens nothing any more') },
    },
    async handler({ actor, params }, reply) {
      if (!(await accounts.endSession(actor.id, params.session))) throw new AppError('NOT_FOUND', 'There is no such session.')
      return reply.code(204).send()
    },
  })

  app.delete('/api/account/sessions', {
    config: { access: 'account:change' },
    schema: {
      tags,
      summary: 'Log out everywhere',
      description: 'All your sessions end, this one too. Tokens for programs go on.',
      response: { 204: z.undefined().describe('You are logged in nowhere') },
    },
    async handler({ actor, credential }, reply) {
      await accounts.endSessions(actor.id)
      if (credential.by === 'cookie') void reply.header('set-cookie', sessionCookie(settings.publicUrl, '', new Date(0)))
      return reply.code(204).send()
    },
  })
}

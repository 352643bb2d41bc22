import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { callbackQuery, providerParams, providerQuery } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { handOut } from './credentials.ts'
import { sessionBody, showUser } from './views.ts'

const tags = ['log-ins']

/** Log-ins by Google, Facebook, or another that the operator named. */
export function providerRoutes(app: App, { logIns, settings }: ApiPorts): void {
  app.get('/api/auth/providers', {
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'List the providers that one can log in by',
      response: { 200: z.object({ data: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })) }) },
    },
    handler: async () => ({
      data: logIns.providers.map(({ id, name }) => ({ id, name, url: `${settings.publicUrl}/api/auth/${id}` })),
    }),
  })

  app.get('/api/auth/:provider', {
    config: { access: 'public', isTry: true, refusals: [404, 503] },
    schema: {
      tags,
      summary: 'Log in by a provider',
      description: 'For browsers: leads to the provider, who leads back.',
      params: providerParams,
      querystring: providerQuery,
      response: { 302: z.undefined().describe('To the provider') },
    },
    async handler({ params, query }, reply) {
      const { url, cookies } = await logIns.beginAt(params.provider, query.session)
      for (const cookie of cookies) void reply.header('set-cookie', cookie)
      return reply.header('cache-control', 'no-store').redirect(url, 302)
    },
  })

  app.get('/api/auth/:provider/callback', {
    config: { access: 'public', isTry: true, refusals: [404, 422, 503] },
    schema: {
      tags,
      summary: 'Where the provider leads back to',
      description:
        'Answers as POST /api/login does; with `session=cookie` at the beginning, it leads to PUBLIC_URL. Who has an account is found by an address that the provider calls verified.',
      params: providerParams,
      querystring: callbackQuery,
      response: { 200: sessionBody, 303: z.undefined().describe('To the start, with a session in a cookie') },
    },
    async handler({ params, headers, raw }, reply) {
      const asked = new URL(raw.url ?? '', settings.publicUrl).search
      const { wish, ...logIn } = await logIns.finishAt(params.provider, asked, headers.cookie ?? '')
      const token = handOut(reply, logIn, wish, settings.publicUrl)
      if (token === null) return reply.redirect(`${settings.publicUrl}/`, 303)
      return reply.send({ user: showUser(logIn.user), token, expires_at: logIn.expiresAt.toISOString() })
    },
  })
}

import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { passwordProof, totpCode } from './account-inputs.ts'
import type { App } from './app-type.ts'
import { goOn } from './credentials.ts'
import { sessionBody } from './views.ts'

const tags = ['account']

/** A second factor for one's log-ins: begun, confirmed by a code, ended. */
export function secondFactorRoutes(app: App, { logIns, settings }: ApiPorts): void {
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
      goOn(request, reply, await logIns.confirmTotp(request.credential.token, request.body.code), settings.publicUrl),
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
      goOn(request, reply, await logIns.endTotp(request.credential.token, request.body.password), settings.publicUrl),
  })
}

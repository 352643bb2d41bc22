import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app.ts'

const tags = ['system']
const alive = z.object({ status: z.literal('ok') })
const readiness = z.object({
  ready: z.boolean(),
  dependencies: z.record(z.string(), z.object({ ok: z.boolean(), problem: z.string().nullable() })),
})

export function systemRoutes(app: App, { health }: ApiPorts): void {
  app.get('/api/ping', {
    config: { access: 'public' },
    schema: { tags, summary: 'Answers pong', response: { 200: { content: { 'text/plain': { schema: z.string() } } } } },
    handler: async (_request, reply) => reply.type('text/plain; charset=utf-8').send('pong'),
  })

  for (const url of ['/up', '/healthz']) {
    app.get(url, {
      config: { access: 'public' },
      schema: { tags, summary: 'The process lives', response: { 200: alive } },
      handler: async () => ({ status: 'ok' as const }),
    })
  }

  app.get('/readyz', {
    config: { access: 'public' },
    schema: {
      tags,
      summary: 'Everything this process needs is there',
      response: { 200: readiness, 503: readiness.describe('Something is missing; `dependencies` says which') },
    },
    async handler(_request, reply) {
      const dependencies = health.read()
      const ready = Object.values(dependencies).every(({ ok }) => ok)
      return reply.code(ready ? 200 : 503).send({ ready, dependencies })
    },
  })
}

import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { messageBody } from './views.ts'

const tags = ['system']
const alive = z.object({ status: z.literal('ok') })
const readiness = z.object({
  ready: z.boolean(),
  dependencies: z.record(z.string(), z.object({ ok: z.boolean(), problem: z.string().nullable() })),
})

export function systemRoutes(app: App, { health, meters }: ApiPorts): void {
  app.get('/api/ping', {
    config: { access: 'public' },
    schema: { tags, summary: 'Answers pong', response: { 200: { content: { 'text/plain': { schema: z.string() } } } } },
    handler: async (_request, reply) => reply.type('text/plain; charset=utf-8').send('pong'),
  })

  app.get('/api/test', {
    config: { access: 'public' },
    schema: { tags, summary: 'Says that the API works', response: { 200: messageBody } },
    handler: async () => ({ message: 'API is working' }),
  })

  for (const url of ['/up', '/healthz']) {
    app.get(url, {
      config: { access: 'public', isProbe: true },
      schema: { tags, summary: 'The process lives', response: { 200: alive } },
      handler: async () => ({ status: 'ok' as const }),
    })
  }

  app.get('/metrics', {
    config: { access: 'metrics:read' },
    schema: {
      tags,
      summary: 'What this process measures, for Prometheus',
      description: 'A token of a listener will do.',
      response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
    },
    async handler(_request, reply) {
      const { contentType, text } = await meters.show()
      return reply.type(contentType).send(text)
    },
  })

  app.get('/readyz', {
    config: { access: 'public', isProbe: true },
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

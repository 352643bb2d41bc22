import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { pageQuery } from './inputs.ts'
import { pageBody, serverBody, showPage, showServer } from './views.ts'

export function serverRoutes(app: App, { fleet }: ApiPorts): void {
  app.get('/api/servers', {
    config: { access: 'admin' },
    schema: {
      tags: ['servers'],
      summary: 'List the servers that run engines',
      description: 'As they told of themselves last. While the bus is away, nobody can say how they are: `unknown`.',
      querystring: pageQuery,
      response: { 200: pageBody(serverBody) },
    },
    async handler({ query }) {
      const members = fleet.list()
      const first = (query.page - 1) * query.per_page
      const items = members.slice(first, first + query.per_page)
      return showPage({ items, total: members.length }, query, showServer)
    },
  })
}

import { AppError } from '@skipcast/runtime'
import type { ApiPorts, FleetMember } from '../ports.ts'
import { surveyServers } from '../survey-servers.ts'
import type { App } from './app-type.ts'
import { pageQuery, serverParams } from './inputs.ts'
import { pageBody, showPage } from './views.ts'
import { serverBody, showServer } from './server-views.ts'

const tags = ['servers']

export function serverRoutes(app: App, ports: ApiPorts): void {
  const { fleet, stores } = ports

  app.get('/api/servers', {
    config: { access: 'servers:read' },
    schema: {
      tags,
      summary: 'List the servers that run engines',
      description: 'As they told of themselves last. While the bus is away, nobody can say how they are: `unknown`.',
      querystring: pageQuery,
      response: { 200: pageBody(serverBody) },
    },
    async handler({ query }) {
      const members = fleet.list()
      const first = (query.page - 1) * query.per_page
      const items = await showServers(ports, members.slice(first, first + query.per_page))
      return showPage({ items, total: members.length }, query, (server) => server)
    },
  })

  app.post('/api/servers/:server/drain', {
    config: { access: 'servers:drain' },
    schema: {
      tags,
      summary: 'Empty a server',
      description:
        'Its channels move to other servers, a few each second, and it gets no more. `placed` says what is left: what is pinned here, or fits nowhere else, stays. A server that is being emptied already goes on.',
      params: serverParams,
      response: { 202: serverBody },
    },
    async handler({ params, actor }, reply) {
      const member = find(params.server)
      await stores.servers.drain(member.heartbeat.server_id, actor.username)
      return reply.code(202).send((await showServers(ports, [member]))[0]!)
    },
  })

  app.post('/api/servers/:server/undrain', {
    config: { access: 'servers:drain' },
    schema: {
      tags,
      summary: 'Let a server have channels again',
      description: 'Those that left do not come back for it: a server gets channels as others need a place.',
      params: serverParams,
      response: { 200: serverBody },
    },
    async handler({ params }) {
      const member = find(params.server)
      await stores.servers.undrain(member.heartbeat.server_id)
      return (await showServers(ports, [member]))[0]!
    },
  })

  const find = (id: string): FleetMember => {
    const member = fleet.list().find(({ heartbeat }) => heartbeat.server_id === id)
    if (!member)
      throw new AppError('NOT_FOUND', 'There is no such server. GET /api/servers lists all that ever told of themselves.')
    return member
  }
}

async function showServers(ports: ApiPorts, members: readonly FleetMember[]) {
  const [{ servers, books }, drains] = await Promise.all([surveyServers(ports), ports.stores.servers.listDrains()])
  return members.map((member) => {
    const id = member.heartbeat.server_id
    const server = servers.find((one) => one.id === id)!
    const channels = books.placed.reduce((sum, count) => sum + (count.serverId === id ? count.channels : 0), 0)
    return showServer(member, { server, channels, drain: drains.find(({ serverId }) => serverId === id) })
  })
}

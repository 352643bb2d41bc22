import type { Channel, User } from '@skipcast/db'
import { z } from 'zod'
import { reachOf } from '../domain/roles.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { someChannels, trashedParams } from './channel-inputs.ts'
import { channelBody, showChannel, showTrashed, trashedBody } from './channel-views.ts'
import { pageQuery } from './inputs.ts'
import { pageBody, showPage } from './views.ts'

const tags = ['trash']
/** The first version documented each of these somewhere; the first one of each list is the one to use. */
const LIST_PATHS = ['/api/channels/trash/view', '/api/channels/trashed']
const RESTORE_PATHS = ['/api/channels/trash/restore', '/api/channel/trash/restore', '/api/channels/restore']

const config = { access: 'channels:restore' } as const
const restored = z.object({ message: z.string(), channels: z.array(channelBody) })

/** Channels that were deleted, and how to have them back. */
export function trashRoutes(app: App, { stores: { channelTrash }, settings }: ApiPorts): void {
  const ownerOf = (actor: User) => (reachOf(actor.role, config.access) === 'any' ? null : actor.id)
  const show = (channel: Channel) => showTrashed(channel, settings.trashDays)
  const restore = async (actor: User, ids: readonly string[]) => {
    const options = { ownerId: ownerOf(actor), atMost: settings.channelsPerUser }
    const channels = await channelTrash.restore(ids, options)
    return { message: 'Channels restored successfully', channels: channels.map(showChannel) }
  }

  for (const [index, url] of LIST_PATHS.entries())
    app.get(url, {
      config,
      schema: {
        tags,
        summary: index === 0 ? 'List the channels in the trash' : `The same as GET ${LIST_PATHS[0]}`,
        description: 'Your own, what was deleted last comes first; an admin sees everybody’s.',
        querystring: pageQuery,
        response: { 200: pageBody(trashedBody) },
      },
      async handler({ actor, query }) {
        const page = { page: query.page, perPage: query.per_page }
        return showPage(await channelTrash.list(ownerOf(actor), page), query, show)
      },
    })

  app.get('/api/channels/trash/view/:trashed', {
    config,
    schema: {
      tags,
      summary: 'Read a channel in the trash',
      params: trashedParams,
      response: { 200: z.object({ data: trashedBody }) },
    },
    handler: async ({ trashed }) => ({ data: show(trashed) }),
  })

  for (const [index, url] of RESTORE_PATHS.entries())
    app.post(url, {
      config: { ...config, refusals: [404, 409] },
      schema: {
        tags,
        summary: index === 0 ? 'Take channels out of the trash' : `The same as POST ${RESTORE_PATHS[0]}`,
        description:
          'All of them or none, off, with all that belonged to them. Who has as many channels as one user may have gets none back.',
        body: someChannels,
        response: { 200: restored },
      },
      handler: ({ actor, body }) => restore(actor, body.ids),
    })

  app.post('/api/channels/:trashed/restore', {
    config: { ...config, refusals: [409] },
    schema: { tags, summary: 'Take a channel out of the trash', params: trashedParams, response: { 200: restored } },
    handler: ({ actor, trashed }) => restore(actor, [trashed.id]),
  })
}

import { z } from 'zod'
import { isTheirs } from '../domain/sight.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelBody, showChannel } from './channel-views.ts'
import { channelParams, mediaIds, mediaOrder, pageQuery } from './inputs.ts'
import { mediaBody, showMedia } from './media-views.ts'
import { pageBody, showPage } from './views.ts'

const tags = ['channels']
/** Room for the ids of the longest playlist. */
const MAX_ORDER_BYTES = 512 * 1024

export function playlistRoutes(app: App, { stores }: ApiPorts): void {
  const url = '/api/channels/:channel/media'
  const answer = z.object({ message: z.string(), channel: channelBody })

  app.get(url, {
    config: { access: 'open' },
    schema: {
      tags,
      summary: 'List a channel’s playlist, in order of play',
      description: 'Its owner and admins see all of it, everybody else the public pieces that are ready.',
      params: channelParams,
      querystring: pageQuery,
      response: { 200: pageBody(mediaBody) },
    },
    async handler({ channel, sight, query }) {
      const page = { page: query.page, perPage: query.per_page }
      const found = await stores.playlists.list(channel.id, page, isTheirs(sight, channel) ? 'whole' : 'public')
      return showPage(found, query, (media) => showMedia(media, sight))
    },
  })

  app.post(url, {
    config: { access: 'playlists:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Append media to a playlist',
      description:
        'Your own, and public ones. In the order given. What is on the playlist already stays where it is. A running stream takes the new playlist over; what is still processed is played once it is ready.',
      params: channelParams,
      body: mediaIds,
      response: { 200: answer },
    },
    async handler({ actor, channel, body }) {
      const ownerId = actor.role === 'admin' ? null : actor.id
      const changed = await stores.playlists.attach(channel.id, body.media_ids, { ownerId })
      return { message: 'Media attached successfully', channel: showChannel(changed) }
    },
  })

  app.put(`${url}/order`, {
    config: { access: 'playlists:change', refusals: [409] },
    bodyLimit: MAX_ORDER_BYTES,
    schema: {
      tags,
      summary: 'Put a playlist into another order',
      description:
        'All its media, in the order in which they shall be played. Where the playlist has others by now, nothing changes, and `details` names what is missing and what is unknown.',
      params: channelParams,
      body: mediaOrder,
      response: { 200: answer },
    },
    async handler({ channel, body }) {
      const changed = await stores.playlists.reorder(channel.id, body.media_ids)
      return { message: 'Media ordered successfully', channel: showChannel(changed) }
    },
  })

  app.delete(url, {
    config: { access: 'playlists:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Take media off a playlist',
      description: 'A running stream keeps at least one piece: stop it before taking the last.',
      params: channelParams,
      body: mediaIds,
      response: { 200: answer },
    },
    async handler({ channel, body }) {
      const changed = await stores.playlists.detach(channel.id, body.media_ids)
      return { message: 'Media detached successfully', channel: showChannel(changed) }
    },
  })
}

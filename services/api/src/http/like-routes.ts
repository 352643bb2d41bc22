import { stamp } from '@skipcast/contracts'
import { newId } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelParams, mediaParams } from './inputs.ts'
import { counter } from './views.ts'

const tags = ['opinions']
const ONCE = 'Once: who likes it already changes nothing.'

const response = { 200: z.object({ message: z.string(), likes: counter }) }

/** Who likes which channels and which pieces. */
export function likeRoutes(app: App, { stores: { opinions }, origin }: ApiPorts): void {
  const stamped = () => stamp(origin, Date.now(), newId())

  app.post('/api/channels/:channel/like', {
    config: { access: 'channels:like' },
    schema: { tags, summary: 'Like a channel', description: ONCE, params: channelParams, response },
    async handler({ actor, channel }) {
      const told = {
        ...stamped(),
        metadata: { owner_id: channel.ownerId, privacy: channel.privacy },
        event: 'channel_liked' as const,
        channel_id: channel.id,
        channel_slug: channel.slug,
        user_id: actor.id,
      }
      return { message: 'Channel liked', likes: await opinions.like({ channelId: channel.id }, actor.id, told) }
    },
  })

  app.delete('/api/channels/:channel/like', {
    config: { access: 'channels:like' },
    schema: { tags, summary: 'Like a channel no more', params: channelParams, response },
    handler: async ({ actor, channel }) => ({
      message: 'Channel not liked any more',
      likes: await opinions.unlike({ channelId: channel.id }, actor.id),
    }),
  })

  app.post('/api/media/:media/like', {
    config: { access: 'media:like', refusals: [409] },
    schema: {
      tags,
      summary: 'Like a piece',
      description: `${ONCE} Your own, and public ones, once they are ready.`,
      params: mediaParams,
      response,
    },
    async handler({ actor, media }) {
      if (media.state !== 'ready') throw new AppError('CONFLICT', 'This piece is not ready: nobody can have heard it.')
      const told = {
        ...stamped(),
        metadata: { owner_id: media.ownerId, media_type: media.kind ?? 'audio' },
        event: 'media_liked' as const,
        media_id: media.id,
        user_id: actor.id,
      }
      return { message: 'Piece liked', likes: await opinions.like({ mediaId: media.id }, actor.id, told) }
    },
  })

  app.delete('/api/media/:media/like', {
    config: { access: 'media:like' },
    schema: { tags, summary: 'Like a piece no more', params: mediaParams, response },
    handler: async ({ actor, media }) => ({
      message: 'Piece not liked any more',
      likes: await opinions.unlike({ mediaId: media.id }, actor.id),
    }),
  })
}

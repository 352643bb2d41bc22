import { stamp } from '@skipcast/contracts'
import { newId, type Review } from '@skipcast/db'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { newReview, reviewParams } from './channel-inputs.ts'
import { channelParams, pageQuery } from './inputs.ts'
import { counter, instant, pageBody, showPage } from './views.ts'

const tags = ['opinions']

const likesBody = z.object({ message: z.string(), likes: counter })

const reviewBody = z
  .object({
    id: z.string(),
    channel_id: z.string(),
    user_id: z.string(),
    author: z.string(),
    review: z.string(),
    created_at: instant,
  })
  .meta({ id: 'Review' })

function showReview({ id, channelId, userId, author, text, createdAt }: Review): z.output<typeof reviewBody> {
  return { id, channel_id: channelId, user_id: userId, author, review: text, created_at: createdAt.toISOString() }
}

/** What people think of a channel. */
export function opinionRoutes(app: App, { stores: { opinions }, origin }: ApiPorts): void {
  app.post('/api/channels/:channel/like', {
    config: { access: 'channels:like' },
    schema: {
      tags,
      summary: 'Like a channel',
      description: 'Once: who likes it already changes nothing.',
      params: channelParams,
      response: { 200: likesBody },
    },
    async handler({ actor, channel }) {
      const told = {
        ...stamp(origin, Date.now(), newId()),
        metadata: { owner_id: channel.ownerId, privacy: channel.privacy },
        event: 'channel_liked' as const,
        channel_id: channel.id,
        channel_slug: channel.slug,
        user_id: actor.id,
      }
      return { message: 'Channel liked', likes: await opinions.like(channel.id, actor.id, told) }
    },
  })

  app.delete('/api/channels/:channel/like', {
    config: { access: 'channels:like' },
    schema: { tags, summary: 'Like a channel no more', params: channelParams, response: { 200: likesBody } },
    handler: async ({ actor, channel }) => ({
      message: 'Channel not liked any more',
      likes: await opinions.unlike(channel.id, actor.id),
    }),
  })

  app.get('/api/channels/:channel/reviews', {
    config: { access: 'open' },
    schema: {
      tags,
      summary: 'What people say of a channel, newest first',
      params: channelParams,
      querystring: pageQuery,
      response: { 200: pageBody(reviewBody) },
    },
    async handler({ channel, query }) {
      const page = { page: query.page, perPage: query.per_page }
      return showPage(await opinions.listReviews(channel.id, page), query, showReview)
    },
  })

  app.post('/api/channels/:channel/reviews', {
    config: { access: 'reviews:create' },
    schema: {
      tags,
      summary: 'Say something of a channel',
      description: 'In place of what you said before.',
      params: channelParams,
      body: newReview,
      response: { 201: reviewBody },
    },
    async handler({ actor, channel, body }, reply) {
      return reply.code(201).send(showReview(await opinions.review(channel.id, actor.id, body.review)))
    },
  })

  app.delete('/api/channels/:channel/reviews/:review', {
    config: { access: 'reviews:delete' },
    schema: {
      tags,
      summary: 'Take a review back',
      params: reviewParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ review }, reply) {
      await opinions.removeReview(review.id)
      return reply.code(204).send()
    },
  })
}

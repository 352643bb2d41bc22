import type { Review } from '@skipcast/db'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { newReview, reviewParams } from './channel-inputs.ts'
import { channelParams, pageQuery } from './inputs.ts'
import { instant, pageBody, showPage } from './views.ts'

const tags = ['opinions']

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

/** What people say of a channel. */
export function reviewRoutes(app: App, { stores: { opinions } }: ApiPorts): void {
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

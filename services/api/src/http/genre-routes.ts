import type { Channel, Genre } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { stemOf } from '../domain/slug.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { genreList, genreParams, newGenre, someGenres } from './channel-inputs.ts'
import { channelBody, showChannel } from './channel-views.ts'
import { channelParams, mediaParams } from './inputs.ts'
import { mediaBody, showMedia } from './media-views.ts'
import { pageBody, showPage } from './views.ts'

const tags = ['genres']

const genreBody = z.object({ id: z.int(), name: z.string(), slug: z.string() }).meta({ id: 'Genre' })
const showGenre = ({ id, name, slug }: Genre): z.output<typeof genreBody> => ({ id, name, slug })

/** What kinds of music and talk there are, and which channels and pieces are of them. */
export function genreRoutes(app: App, ports: ApiPorts): void {
  const { genres } = ports.stores

  app.get('/api/genres', {
    config: { access: 'public' },
    schema: { tags, summary: 'List genres', querystring: genreList, response: { 200: pageBody(genreBody) } },
    handler: async ({ query }) => showPage(await genres.list({ page: query.page, perPage: query.per_page }), query, showGenre),
  })

  app.post('/api/genres', {
    config: { access: 'genres:create', refusals: [409] },
    schema: { tags, summary: 'Make a genre', body: newGenre, response: { 201: genreBody } },
    async handler({ body }, reply) {
      const slug = body.slug ?? stemOf(body.name)
      if (slug === '') throw new AppError('BAD_REQUEST', 'slug: give one, as none can be made from this name')
      return reply.code(201).send(showGenre(await genres.create({ name: body.name, slug })))
    },
  })

  app.delete('/api/genres/:genre', {
    config: { access: 'genres:delete', refusals: [409] },
    schema: {
      tags,
      summary: 'Delete a genre',
      description: 'One that channels or media have stays.',
      params: genreParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ params }, reply) {
      await genres.remove(params.genre)
      return reply.code(204).send()
    },
  })

  channelGenres(app, ports)
  mediaGenres(app, ports)
}

function channelGenres(app: App, { stores }: ApiPorts): void {
  const url = '/api/channels/:channel/genres'
  const answer = z.object({ message: z.string(), channel: channelBody })
  const schema = { tags: ['channels'], params: channelParams, body: someGenres, response: { 200: answer } }
  /** Nothing is written where nothing changes. */
  const change = (channel: Channel, next: (ids: readonly number[]) => number[]) =>
    stores.channels.change(channel, ({ genreIds }) => {
      const wanted = next(genreIds).toSorted((a, b) => a - b)
      return wanted.join() === genreIds.join() ? null : { genreIds: wanted }
    })

  app.post(url, {
    config: { access: 'channels:change', refusals: [409] },
    schema: { ...schema, summary: 'Give a channel genres', description: 'Those that it has already stay.' },
    async handler({ channel, body }) {
      const changed = await change(channel, (ids) => [...new Set([...ids, ...body.genre_ids])])
      return { message: 'Genres attached successfully', channel: showChannel(changed) }
    },
  })

  app.delete(url, {
    config: { access: 'channels:change' },
    schema: { ...schema, summary: 'Take genres off a channel', description: 'Those that it does not have do not matter.' },
    async handler({ channel, body }) {
      const changed = await change(channel, (ids) => ids.filter((id) => !body.genre_ids.includes(id)))
      return { message: 'Genres detached successfully', channel: showChannel(changed) }
    },
  })
}

function mediaGenres(app: App, { stores: { genres } }: ApiPorts): void {
  const url = '/api/media/:media/genres'
  const answer = z.object({ message: z.string(), media: mediaBody, genre_ids: z.array(z.int()) })
  const schema = { tags: ['media'], params: mediaParams, body: someGenres, response: { 200: answer } }

  app.post(url, {
    config: { access: 'media:change', refusals: [409] },
    schema: { ...schema, summary: 'Give a piece genres', description: 'Those that it has already stay.' },
    async handler({ media, sight, body }) {
      const genreIds = await genres.attachToMedia(media.id, body.genre_ids)
      return { message: 'Genres attached successfully', media: showMedia(media, sight), genre_ids: genreIds }
    },
  })

  app.delete(url, {
    config: { access: 'media:change' },
    schema: { ...schema, summary: 'Take genres off a piece', description: 'Those that it does not have do not matter.' },
    async handler({ media, sight, body }) {
      const genreIds = await genres.detachFromMedia(media.id, body.genre_ids)
      return { message: 'Genres detached successfully', media: showMedia(media, sight), genre_ids: genreIds }
    },
  })
}

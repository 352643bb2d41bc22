import type { Channel, User } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { problemsOf, type Sending } from '../domain/mix.ts'
import { slugFor } from '../domain/slug.ts'
import { namedGenres, randomSuffix } from '../name-genres.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelChange, channelList, newChannel } from './channel-inputs.ts'
import { channelBody, showChannel } from './channel-views.ts'
import { channelParams, toListRequest } from './inputs.ts'
import { addressOf } from './rate-limit.ts'
import { pageBody, showPage } from './views.ts'
import { withoutUndefined } from './without-undefined.ts'

const tags = ['channels']

export function channelRoutes(app: App, ports: ApiPorts): void {
  const { stores, settings } = ports

  app.get('/api/channels', {
    config: { access: 'open' },
    schema: {
      tags,
      summary: 'List channels',
      description: 'Public ones, and your own; an admin sees everybody’s. `total` is counted up to 10,000.',
      querystring: channelList,
      response: { 200: pageBody(channelBody) },
    },
    async handler({ query, sight }) {
      const genre = query.genre === undefined ? undefined : await stores.genres.find(query.genre)
      if (genre === null) return showPage({ items: [], total: 0 }, query, showChannel)
      return showPage(
        await stores.channels.list({ ...toListRequest(query), sight, privacy: query.privacy, genreId: genre?.id }),
        query,
        showChannel,
      )
    },
  })

  app.post('/api/channels', {
    config: { access: 'channels:create', refusals: [404, 409, 422] },
    schema: {
      tags,
      summary: 'Make a channel',
      description: 'Without a slug, one is made from the name. Slugs of channels in the trash are taken too.',
      body: newChannel,
      response: { 201: z.object({ message: z.string(), channel: channelBody }) },
    },
    async handler({ actor, body }, reply) {
      const { name, description, privacy } = body
      const sending = {
        mode: body.mode,
        format: body.format,
        bitrateKbps: body.bitrate_kbps ?? settings.bitrateKbps,
        crossfadeMs: body.crossfade_ms,
        loudnessLufs: body.loudness_lufs,
      }
      requireSendable(sending, settings.bitrateKbps)
      const genreIds = (await namedGenres(ports, actor, { genreIds: body.genre_ids, name: body.genre })) ?? []
      const slug = body.slug ?? slugFor(name, randomSuffix())
      const channel = await stores.channels.create(
        { ownerId: actor.id, name, slug, description, privacy, genreIds, maxListeners: body.max_listeners, ...sending },
        { atMost: settings.channelsPerUser },
      )
      return reply.code(201).send({ message: 'Channel created successfully', channel: showChannel(channel) })
    },
  })

  app.get('/api/channels/:channel', {
    config: { access: 'open' },
    schema: { tags, summary: 'Read a channel', params: channelParams, response: { 200: channelBody } },
    async handler(request) {
      const { channel, viewer } = request
      ports.viewers.looked(channel, { userId: viewer?.id ?? null, address: addressOf(request) })
      return showChannel(channel)
    },
  })

  const change = async (actor: User, channel: Channel, body: z.output<typeof channelChange>) => {
    const { name, description, privacy, mode, format, bitrate_kbps: bitrateKbps, crossfade_ms: crossfadeMs } = body
    const sending = withoutUndefined({ mode, format, bitrateKbps, crossfadeMs, loudnessLufs: body.loudness_lufs })
    const named = body.genre === channel.genre ? undefined : body.genre // what was shown may be sent back
    const genreIds = await namedGenres(ports, actor, { genreIds: body.genre_ids, name: named })
    const wanted = withoutUndefined({ name, description, privacy, genreIds, maxListeners: body.max_listeners, ...sending })
    return stores.channels.change(channel, (found) => {
      if (sending) requireSendable({ ...found, ...sending }, settings.bitrateKbps)
      return wanted
    })
  }
  for (const method of ['PUT', 'PATCH'] as const)
    app.route({
      method,
      url: '/api/channels/:channel',
      config: { access: 'channels:change', refusals: [409, 422] },
      schema: {
        tags,
        summary: method === 'PUT' ? 'Change a channel' : 'Change a channel: the same as PUT',
        description:
          'Fields left out stay as they are. A running stream takes them over: another mode, bitrate or crossfade costs listeners 0.3 to 0.5 s without sound (measured), then the next track begins; nobody is dropped. Another format ends the listeners, whose players connect again: they were told that they get the old one.',
        params: channelParams,
        body: channelChange,
        response: { 200: channelBody },
      },
      handler: async ({ actor, channel, body }) => showChannel(await change(actor, channel, body)),
    })

  app.delete('/api/channels/:channel', {
    config: { access: 'channels:delete' },
    schema: {
      tags,
      summary: 'Stop a channel and put it into the trash',
      description:
        'With its playlist and all else that belongs to it, from where it can be restored until it is removed for good.',
      params: channelParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ channel }, reply) {
      await stores.channels.discard(channel)
      return reply.code(204).send()
    },
  })
}

function requireSendable(sending: Sending, airBitrateKbps: number): void {
  const problems = problemsOf(sending, airBitrateKbps)
  if (problems.length === 0) return
  const what = 'In mode copy the files are sent as they are. Change this, or set mode to encode'
  throw new AppError('BAD_REQUEST', `${what}: ${problems.join('; ')}`, { details: problems })
}

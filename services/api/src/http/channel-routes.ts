import { randomInt } from 'node:crypto'
import type { Channel } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { problemsOf, type Sending } from '../domain/mix.ts'
import { slugFor } from '../domain/slug.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelChange, channelList, channelParams, newChannel, toListRequest } from './inputs.ts'
import { channelBody, pageBody, showChannel, showPage } from './views.ts'
import { withoutUndefined } from './without-undefined.ts'

const tags = ['channels']
const SUFFIX_LENGTH = 6

export function channelRoutes(app: App, { stores, settings }: ApiPorts): void {
  app.get('/api/channels', {
    config: { access: 'public' },
    schema: { tags, summary: 'List channels', querystring: channelList, response: { 200: pageBody(channelBody) } },
    handler: async ({ query }) =>
      showPage(await stores.channels.list({ ...toListRequest(query), genre: query.genre }), query, showChannel),
  })

  app.post('/api/channels', {
    config: { access: 'channels:create', refusals: [409] },
    schema: {
      tags,
      summary: 'Make a channel',
      description: 'Without a slug, one is made from the name.',
      body: newChannel,
      response: { 201: z.object({ message: z.string(), channel: channelBody }) },
    },
    async handler({ actor, body }, reply) {
      const { name, description, genre } = body
      const sending = {
        mode: body.mode,
        format: body.format,
        bitrateKbps: body.bitrate_kbps ?? settings.bitrateKbps,
        crossfadeMs: body.crossfade_ms,
        loudnessLufs: body.loudness_lufs,
      }
      requireSendable(sending, settings.bitrateKbps)
      const slug = body.slug ?? slugFor(name, randomSuffix())
      const channel = await stores.channels.create({ ownerId: actor.id, name, slug, description, genre, ...sending })
      return reply.code(201).send({ message: 'Channel created successfully', channel: showChannel(channel) })
    },
  })

  app.get('/api/channels/:channel', {
    config: { access: 'public' },
    schema: { tags, summary: 'Read a channel', params: channelParams, response: { 200: channelBody } },
    handler: async ({ channel }) => showChannel(channel),
  })

  app.put('/api/channels/:channel', {
    config: { access: 'channels:change' },
    schema: {
      tags,
      summary: 'Change a channel',
      description:
        'Fields left out stay as they are. A running stream takes them over: another mode, bitrate or crossfade costs listeners 0.3 to 0.5 s without sound (measured), then the next track begins; nobody is dropped. Another format ends the listeners, whose players connect again: they were told that they get the old one.',
      params: channelParams,
      body: channelChange,
      response: { 200: channelBody },
    },
    async handler({ channel, body }) {
      const { name, description, genre, mode, format, bitrate_kbps: bitrateKbps, crossfade_ms: crossfadeMs } = body
      const sending = withoutUndefined({ mode, format, bitrateKbps, crossfadeMs, loudnessLufs: body.loudness_lufs })
      const change = withoutUndefined({ name, description, genre, ...sending })
      const decide = (found: Channel) => {
        if (sending) requireSendable({ ...found, ...sending }, settings.bitrateKbps)
        return change
      }
      return showChannel(await stores.channels.change(channel, decide))
    },
  })

  app.delete('/api/channels/:channel', {
    config: { access: 'channels:delete' },
    schema: {
      tags,
      summary: 'Stop and delete a channel',
      params: channelParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ channel }, reply) {
      await stores.channels.remove(channel.id)
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

function randomSuffix(): string {
  return randomInt(36 ** SUFFIX_LENGTH)
    .toString(36)
    .padStart(SUFFIX_LENGTH, '0')
}

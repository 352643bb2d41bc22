import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { stopStream, streamStarter } from '../switch-stream.ts'
import type { App } from './app-type.ts'
import { channelParams, listenUrlQuery, stateChange } from './inputs.ts'
import { showCommand, showStream, streamCommandBody, streamStatusBody } from './stream-views.ts'
import { instant } from './views.ts'

const tags = ['streams']

const listenUrlBody = z.object({
  stream_url: z.string(),
  expires_at: instant.optional().meta({ description: 'Of a private channel.' }),
})

export function streamRoutes(app: App, ports: ApiPorts): void {
  const startStream = streamStarter(ports)

  app.post('/api/channels/:channel/stream/start', {
    config: { access: 'streams:control', refusals: [409] },
    schema: {
      tags,
      summary: 'Put a channel on air',
      description:
        'Answers as soon as the wish is safely kept; follow `stream.phase` with the status. A channel that is on stays as it is.',
      params: channelParams,
      response: { 202: streamCommandBody },
    },
    async handler({ channel }, reply) {
      const started = await startStream(channel)
      return reply.code(202).send(await showCommand(ports, started, 'Stream start command sent successfully'))
    },
  })

  app.post('/api/channels/:channel/stream/stop', {
    config: { access: 'streams:control' },
    schema: { tags, summary: 'Take a channel off air', params: channelParams, response: { 202: streamCommandBody } },
    async handler({ channel }, reply) {
      const stopped = await stopStream(ports, channel)
      return reply.code(202).send(await showCommand(ports, stopped, 'Stream stop command sent successfully'))
    },
  })

  app.put('/api/channels/:channel/state', {
    config: { access: 'streams:control', refusals: [409] },
    schema: {
      tags,
      summary: 'Put a channel on air, or take it off',
      description: 'The same as start and stop, for those who say what shall be rather than what shall be done.',
      params: channelParams,
      body: stateChange,
      response: { 202: streamCommandBody },
    },
    async handler({ channel, body }, reply) {
      const changed = await (body.state === 'on' ? startStream(channel) : stopStream(ports, channel))
      const message = `Stream ${body.state === 'on' ? 'start' : 'stop'} command sent successfully`
      return reply.code(202).send(await showCommand(ports, changed, message))
    },
  })

  app.get('/api/channels/:channel/stream/status', {
    config: { access: 'open' },
    schema: {
      tags,
      summary: 'How a stream is',
      description: '`stream` is what was observed, never what was wished; `channel.state` is what was wished.',
      params: channelParams,
      response: { 200: streamStatusBody },
    },
    handler: ({ channel }) => showStream(ports, channel, 'Stream status'),
  })

  app.get('/api/channels/:channel/stream-url', {
    config: { access: 'open' },
    schema: {
      tags,
      summary: 'Where to listen',
      description:
        'That of a private channel holds a token, by which whoever has the link hears it until it expires; then they are hung up on within a minute.',
      params: channelParams,
      querystring: listenUrlQuery,
      response: { 200: listenUrlBody },
    },
    async handler({ channel, query }, reply) {
      const { listenUrl, listenUrlMinutes } = ports.settings
      const url = `${listenUrl}/${channel.slug}`
      if (channel.privacy === 'public') return { stream_url: url }
      const lifeMs = (query.expires_in ?? listenUrlMinutes * 60) * 1000
      const expiresAt = new Date(Math.floor((Date.now() + lifeMs) / 1000) * 1000)
      void reply.header('cache-control', 'no-store')
      return { stream_url: `${url}?token=${ports.listenToken(channel.id, expiresAt)}`, expires_at: expiresAt.toISOString() }
    },
  })
}

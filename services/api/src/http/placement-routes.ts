import { moveChannel, wishPlacement } from '../change-placement.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelMove, channelParams, placementChange } from './inputs.ts'
import { placementBody, showPlacement } from './placement-views.ts'
import { showCommand, streamCommandBody } from './stream-views.ts'
import { withoutUndefined } from './without-undefined.ts'

const tags = ['servers']

export function placementRoutes(app: App, ports: ApiPorts): void {
  app.get('/api/channels/:channel/placement', {
    config: { access: 'placement:read' },
    schema: {
      tags,
      summary: 'Say where a channel is, and why',
      description: 'Which servers could have it, and why the others could not.',
      params: channelParams,
      response: { 200: placementBody },
    },
    handler: ({ channel }) => showPlacement(ports, channel),
  })

  app.patch('/api/channels/:channel/placement', {
    config: { access: 'placement:change' },
    schema: {
      tags,
      summary: 'Say where a channel may be',
      description:
        'Fields left out stay as they are. A channel that is on and can not stay where it is moves at once, or as soon as a server that may have it has room.',
      params: channelParams,
      body: placementChange,
      response: { 200: placementBody },
    },
    async handler({ channel, body: { replicas, labels: serverLabels, pinned_server: pinnedServerId } }) {
      const wish = withoutUndefined({ replicas, serverLabels, pinnedServerId })
      return showPlacement(ports, wish ? await wishPlacement(ports, channel, wish) : channel)
    },
  })

  app.post('/api/channels/:channel/move', {
    config: { access: 'placement:change', refusals: [409] },
    schema: {
      tags,
      summary: 'Move a channel to another server',
      description:
        'It stays there until it can not. Answers as soon as the wish is safely kept; follow `stream.phase` with the status. Listeners keep their connection.',
      params: channelParams,
      body: channelMove,
      response: { 202: streamCommandBody },
    },
    async handler({ channel, body }, reply) {
      const moved = await moveChannel(ports, channel, { serverId: body.server_id, at: body.at })
      return reply.code(202).send(await showCommand(ports, moved, 'Move command sent successfully'))
    },
  })
}

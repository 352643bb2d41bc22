import type { Channel } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { artworkJob } from '../domain/media-job.ts'
import type { ServedFile } from '../domain/media-parts.ts'
import type { ApiPorts } from '../ports.ts'
import { MOST_PICTURE_BYTES, takePicture } from '../take-picture.ts'
import type { App } from './app-type.ts'
import { channelBody, showChannel } from './channel-views.ts'
import { channelParams } from './inputs.ts'
import { mediaJobBody, showMediaJob } from './media-views.ts'
import { onlyFile } from './only-file.ts'
import { sendFile } from './send-file.ts'

const tags = ['channels']
const url = '/api/channels/:channel/artwork'
/** So long a picture may be shown without asking whether it is another by now. */
const PUBLIC = 'public, max-age=60'
const PRIVATE = 'private, no-cache'

/** The pictures of channels. */
export function artworkRoutes(app: App, ports: ApiPorts): void {
  const { stores, jobs, mediaStore } = ports

  app.route({
    method: ['GET', 'HEAD'],
    url,
    config: { access: 'open', refusals: [416] },
    schema: {
      tags,
      summary: 'See the artwork of a channel',
      description: 'A JPEG of up to 1000 pixels on a side, with an `ETag`.',
      params: channelParams,
      response: {
        200: { description: 'All of it', content: { 'image/jpeg': { schema: z.file() } } },
        206: { description: 'The part that was asked for', content: { 'image/jpeg': { schema: z.file() } } },
        304: z.undefined().describe('It is what you have'),
      },
    },
    async handler(request, reply) {
      return sendFile(mediaStore, request, reply, {
        file: artworkOf(request.channel),
        cacheControl: request.channel.privacy === 'public' ? PUBLIC : PRIVATE,
        disposition: 'inline',
      })
    },
  })

  app.put(url, {
    config: { access: 'channels:change', refusals: [413, 503, 507] },
    schema: {
      tags,
      summary: 'Give a channel artwork',
      description: `A PNG, JPEG, WebP or GIF of up to ${MOST_PICTURE_BYTES} bytes. It is made small and harmless, which takes a moment: what became of it tells GET …/jobs. Until then, and where it can not be done, the channel keeps what it has.`,
      consumes: ['multipart/form-data'],
      params: channelParams,
      body: z.object({ artwork: z.file() }),
      response: { 202: mediaJobBody.describe('It is in the making') },
    },
    validatorCompiler:
      ({ httpPart }) =>
      (data: unknown) =>
        httpPart === 'body' ? true : { value: data },
    async handler(request, reply) {
      const { bytes } = await onlyFile(request, 'artwork', MOST_PICTURE_BYTES)
      const { channel } = request
      const job = artworkJob(jobs, channel, await takePicture(ports, channel.ownerId, bytes))
      return reply.code(202).send(showMediaJob(await stores.channelArtwork.ask(channel.id, job)))
    },
  })

  app.get('/api/channels/:channel/jobs', {
    config: { access: 'channels:change' },
    schema: {
      tags,
      summary: 'List the newest work on a channel',
      description: 'What became of the artwork that it was given last, unless that was taken off.',
      params: channelParams,
      response: { 200: z.object({ data: z.array(mediaJobBody) }) },
    },
    async handler({ channel }) {
      const job = await stores.channelArtwork.findJob(channel.id)
      return { data: job ? [showMediaJob(job)] : [] }
    },
  })

  app.delete(url, {
    config: { access: 'channels:change' },
    schema: {
      tags,
      summary: 'Take the artwork off a channel',
      description: 'Also what is in the making.',
      params: channelParams,
      response: { 200: channelBody },
    },
    handler: async ({ channel }) => showChannel(await stores.channelArtwork.remove(channel.id)),
  })
}

function artworkOf({ artworkSha256: sha256, slug }: Channel): ServedFile {
  if (sha256 === null) throw new AppError('NOT_FOUND', 'This channel has no artwork.')
  return { key: { kind: 'covers', sha256 }, contentType: 'image/jpeg', fileName: `${slug}.jpg` }
}

import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { sweepMedia, type Swept } from '../sweep-media.ts'
import type { App } from './app-type.ts'
import { counter } from './views.ts'

const url = '/api/media/sweep'
const config = { access: 'media:sweep' } as const
const tags = ['media']
/** Whoever asks is answered before they give up waiting. */
const LIMIT_MS = 20_000

const sweptBody = z
  .object({
    looked: counter.meta({ description: 'Files that were looked at.' }),
    files: counter.meta({ description: 'Of these, so many that no piece and no channel names, put in a day ago or earlier.' }),
    bytes: counter.meta({ description: 'What they take, or took.' }),
    complete: z.boolean().meta({ description: 'false: there may be more.' }),
  })
  .meta({ id: 'SweptMedia' })

/** What the leader does each hour, on demand. */
export function sweepRoutes(app: App, ports: ApiPorts): void {
  const pass = async (isDry: boolean) => {
    const endsAt = performance.now() + LIMIT_MS
    return sweepMedia(ports, Date.now(), { isDry, isOver: () => performance.now() > endsAt })
  }

  app.get(url, {
    config,
    schema: {
      tags,
      summary: 'See what a sweep would remove',
      description: 'Files in the media store that nothing names any more. It looks for up to 20 seconds.',
      response: { 200: sweptBody },
    },
    handler: async () => showSwept(await pass(true)),
  })

  app.post(url, {
    config,
    schema: {
      tags,
      summary: 'Remove files that nothing names',
      description: 'As happens each hour by itself: up to 1000 of them, within 20 seconds.',
      response: { 200: sweptBody },
    },
    async handler() {
      const swept = await pass(false)
      ports.telemetry.swept(swept)
      return showSwept(swept)
    },
  })
}

function showSwept({ looked, removed, removedBytes, isWhole }: Swept): z.output<typeof sweptBody> {
  return { looked, files: removed, bytes: removedBytes, complete: isWhole }
}

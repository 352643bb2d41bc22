import { AppError } from '@skipcast/runtime'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { channelParams, metricsQuery, trackPlaysQuery } from './inputs.ts'
import { listenerHistoryBody, pageBody, showPage, showPoint, showTrackPlay, trackPlayBody } from './views.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** So many steps are answered at once. */
const MAX_POINTS = 1500

export function historyRoutes(app: App, { stores }: ApiPorts): void {
  app.get('/api/channels/:channel/track-plays', {
    config: { access: 'open' },
    schema: {
      tags: ['streams'],
      summary: 'What was played, newest first',
      description: 'The as-run log: each airing of each track, as the engine told it. The last day, unless said otherwise.',
      params: channelParams,
      querystring: trackPlaysQuery,
      response: { 200: pageBody(trackPlayBody) },
    },
    async handler({ channel, query }) {
      const page = { page: query.page, perPage: query.per_page }
      return showPage(await stores.trackPlays.list(channel.id, spanOf(query, DAY_MS), page), query, showTrackPlay)
    },
  })

  app.get('/api/channels/:channel/metrics', {
    config: { access: 'streams:measure' },
    schema: {
      tags: ['streams'],
      summary: 'How many listened',
      description: `By steps, those of which nothing is known left out; \`mean\` is over time. After two days, minutes become hours. The last hour, unless said otherwise; up to ${MAX_POINTS} steps at once.`,
      params: channelParams,
      querystring: metricsQuery,
      response: { 200: listenerHistoryBody },
    },
    async handler({ channel, query }) {
      const stepMs = query.step * 1000
      const asked = spanOf(query, HOUR_MS)
      const from = new Date(Math.floor(asked.from.getTime() / stepMs) * stepMs)
      const { to } = asked
      if ((to.getTime() - from.getTime()) / stepMs > MAX_POINTS)
        throw new AppError('BAD_REQUEST', `step: gives more than ${MAX_POINTS} steps from \`from\` to \`to\`; make it larger`)
      const points = await stores.listenerCounts.history(channel.id, { from, to }, stepMs)
      return { from: from.toISOString(), to: to.toISOString(), step: query.step, points: points.map(showPoint) }
    },
  })
}

/** `to` is now and `from` is `lengthMs` before it, unless given. */
function spanOf(query: { from?: string | undefined; to?: string | undefined }, lengthMs: number): { from: Date; to: Date } {
  const to = new Date(query.to ?? Date.now())
  const from = new Date(query.from ?? to.getTime() - lengthMs)
  if (from >= to) throw new AppError('BAD_REQUEST', 'from: must be before `to`')
  return { from, to }
}

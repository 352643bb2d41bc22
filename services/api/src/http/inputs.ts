import type { ListRequest } from '@skipcast/db'
import { z } from 'zod'
import { isVisible, printable } from '../domain/text.ts'

/** What the API takes. Unknown fields are refused by name. */

export const text = (min: number, max: number, what: string) =>
  z
    .string()
    .regex(printable(min, max), {
      error: `must be ${what} on one line, without characters that control, are invisible or turn the direction of text`,
      abort: true,
    })
    .refine(isVisible, 'has an invisible character where none belongs (a joiner or a tag)')

export const id = z.string().regex(/^[0-9a-f-]{36}$/, 'must be an id')
const MAX_TRACKS = 10_000

/** Each once: which media these are, the playlist says. */
export const mediaOrder = z.strictObject({
  media_ids: z
    .array(id)
    .min(1)
    .max(MAX_TRACKS)
    .refine((ids) => new Set(ids).size === ids.length, 'must name each piece once'),
})

export const stateChange = z.strictObject({ state: z.enum(['on', 'off']) })

export const mediaIds = z.strictObject({
  media_ids: z.array(id).min(1).max(500),
})

export const channelParams = z.object({
  channel: z.string().min(1).max(200).meta({ description: 'The channel’s id or slug.' }),
})

export const mediaParams = z.object({ media: z.string().min(1).max(200) })

export const serverParams = z.object({ server: z.string().min(1).max(200).meta({ description: 'The server’s id.' }) })

const serverId = z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be the id of a server')
const labelPart = (min: number) => new RegExp(`^[A-Za-z0-9._-]{${min},100}$`)
const MAX_LABELS = 20

/** As `SERVER_LABELS` takes them. */
const serverLabels = z
  .record(
    z.string().regex(labelPart(1), 'must be 1 to 100 letters, digits, dots, dashes and underscores'),
    z.string().regex(labelPart(0), 'must be up to 100 letters, digits, dots, dashes and underscores'),
  )
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, `must be ${MAX_LABELS} labels at most`)

export const placementChange = z.strictObject({
  replicas: z
    .literal([1, 2])
    .optional()
    .meta({ description: '2: a second server is kept ready, which takes over when the first is lost. It costs the same again.' }),
  labels: serverLabels
    .optional()
    .meta({ description: 'What its servers must have, such as {"region": "eu"}. It replaces all labels that were asked for.' }),
  pinned_server: serverId
    .nullable()
    .optional()
    .meta({ description: 'The only server that may have it; while that one is away, the channel waits. null: any.' }),
})

export const channelMove = z.strictObject({
  server_id: serverId,
  at: z
    .enum(['now', 'track_end'])
    .default('now')
    .meta({ description: 'track_end: the server before is asked to play its track to the end first.' }),
})

/** In a query. */
export const wholeNumber = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

export const pageQuery = z.strictObject({
  page: wholeNumber(1, 100_000).default(1).meta({ description: 'From 1.' }),
  per_page: wholeNumber(1, 100).default(15),
})

const MOST_LISTEN_S = 30 * 86_400
export const listenUrlQuery = z.strictObject({
  expires_in: wholeNumber(1, MOST_LISTEN_S).optional().meta({ description: 'In seconds; only for a private channel.' }),
})

/** PostgreSQL knows no year 0, and nothing was on air so long ago; what is reckoned back from an instant must exist too. */
const FIRST_YEAR = 1970
const LAST_YEAR = 9999
const instant = z
  .string()
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})$/, {
    error: 'must be an instant such as 2026-01-31T18:00:00Z',
    abort: true,
  })
  .refine((text) => {
    const year = new Date(text).getUTCFullYear()
    return year >= FIRST_YEAR && year <= LAST_YEAR
  }, `must be an instant that exists, in the years ${FIRST_YEAR} to ${LAST_YEAR} (UTC)`)
  .meta({ format: 'date-time' })

export const trackPlaysQuery = pageQuery.extend({ from: instant.optional(), to: instant.optional() })

export const metricsQuery = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  step: wholeNumber(60, 86_400).default(60).meta({ description: 'In seconds.' }),
})

/** A page of a list that can be searched, and sorted by one of these alone: the first, unless said. */
export function listQuery<const S extends readonly [string, ...string[]]>(sorts: S, order: 'asc' | 'desc', searched: string) {
  return pageQuery.extend({
    search: text(1, 100, '1 to 100 characters')
      .optional()
      .meta({ description: `Text in the ${searched}, whatever its case.` }),
    sort: z.enum(sorts).default(sorts[0] as never),
    order: z.enum(['asc', 'desc']).default(order),
  })
}

export const userList = listQuery(['created_at', 'username'], 'desc', 'user name')

/** What the stores are asked for a list. */
export function toListRequest<S extends string>(query: {
  page: number
  per_page: number
  search?: string | undefined
  sort: S
  order: 'asc' | 'desc'
}): ListRequest<S> {
  const { page, per_page: perPage, search, sort, order } = query
  return { page, perPage, search, sort, order }
}

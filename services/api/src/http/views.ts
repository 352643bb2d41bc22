import type { Account, ApiToken, ListenerPoint, Page, TrackPlay, User } from '@skipcast/db'
import { z } from 'zod'

/** What the API answers with: each schema stands beside the function that makes it. */

export const instant = z.string().meta({ format: 'date-time' })
export const counter = z.int().min(0)

export const errorBody = z
  .object({
    error: z.string().meta({ description: 'A stable code, such as NOT_FOUND.', examples: ['NOT_FOUND'] }),
    message: z.string().meta({ description: 'For people: what is wrong and what to do.' }),
    details: z.unknown().optional(),
  })
  .meta({ id: 'Error' })

export const userBody = z
  .object({
    id: z.string(),
    username: z.string(),
    name: z.string(),
    role: z.enum(['admin', 'dj', 'listener']),
    premium: z.boolean().meta({ description: 'May have any number of channels.' }),
    created_at: instant,
  })
  .meta({ id: 'User' })

export function showUser({ id, username, name, role, premium, createdAt }: User): z.output<typeof userBody> {
  return { id, username, name, role, premium, created_at: createdAt.toISOString() }
}

/** Only for oneself. */
export const accountBody = userBody
  .extend({
    email: z.string().nullable().meta({ description: 'null: made by an admin, without one.' }),
    email_confirmed: z.boolean(),
    second_factor: z.boolean(),
    logs_in_by: z.array(z.string()).meta({ description: '`password`, or providers.' }),
  })
  .meta({ id: 'Account' })

export function showAccount(account: Account): z.output<typeof accountBody> {
  const { email, emailVerified, twoFactorEnabled, providers } = account
  const ways = providers.map((provider) => (provider === 'credential' ? 'password' : provider)).toSorted()
  return { ...showUser(account), email, email_confirmed: emailVerified, second_factor: twoFactorEnabled, logs_in_by: ways }
}

export const sessionBody = z
  .object({
    user: userBody,
    token: z.string().nullable().meta({ description: 'null: it is in the cookie.' }),
    expires_at: instant,
  })
  .meta({ id: 'Session' })

export const messageBody = z.object({ message: z.string() })

export const tokenBody = z
  .object({
    id: z.string(),
    user_id: z.string(),
    name: z.string(),
    created_at: instant,
    expires_at: instant.nullable().meta({ description: 'null: never.' }),
    last_used_at: instant.nullable().meta({ description: 'To within a minute.' }),
    revoked_at: instant.nullable(),
    scopes: z.array(z.string()).nullable().meta({ description: 'null: all that its user may.' }),
  })
  .meta({ id: 'ApiToken' })

export function showToken(token: ApiToken): z.output<typeof tokenBody> {
  return {
    id: token.id,
    user_id: token.userId,
    name: token.name,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
    scopes: token.scopes === null ? null : [...token.scopes],
  }
}

export const trackPlayBody = z
  .object({
    id: z.string(),
    media_id: z.string().meta({ description: 'The piece may be gone by now.' }),
    title: z.string(),
    artist: z.string(),
    server: z.string(),
    started_at: instant,
  })
  .meta({ id: 'TrackPlay' })

export function showTrackPlay({ id, mediaId, title, artist, serverId, startedAt }: TrackPlay): z.output<typeof trackPlayBody> {
  return { id, media_id: mediaId, title, artist, server: serverId, started_at: startedAt.toISOString() }
}

const pointBody = z.object({ at: instant, min: counter, mean: z.number().min(0), max: counter })

export const listenerHistoryBody = z
  .object({ from: instant, to: instant, step: counter.meta({ description: 'In seconds.' }), points: z.array(pointBody) })
  .meta({ id: 'ListenerHistory' })

export function showPoint({ at, min, mean, max }: ListenerPoint): z.output<typeof pointBody> {
  return { at: at.toISOString(), min, mean: Math.round(mean * 100) / 100, max }
}

/** One page of a list. */
export function pageBody<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item), current_page: counter, per_page: counter, total: counter })
}

export function showPage<T, V>(found: Page<T>, query: { page: number; per_page: number }, show: (item: T) => V) {
  return { data: found.items.map(show), current_page: query.page, per_page: query.per_page, total: found.total }
}

/** An instant as it is sent, from ms since the epoch. */
export function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '@skipcast/runtime'
import type { Database } from '../database.ts'
import type { ApiToken as TokenRow } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { pageOf } from './lists.ts'
import type { ApiToken, Identity, User } from './account-records.ts'
import type { Page, PageRequest } from './records.ts'
import type { TrustedTokens } from './trusted-tokens.ts'

/** What speaks for users: the tokens that they make for programs, and those of their sessions. Every method may reject with DATABASE_UNAVAILABLE. */
export interface TokenStore {
  /**
   * Makes a token; nobody can read its secret again. With `replace`, the user's older tokens of this name end. Rejects with NOT_FOUND for the user,
   * or CONFLICT when they have too many that work.
   */
  createToken(
    userId: string,
    name: string,
    options?: { expiresAt?: Date; replace?: boolean; scopes?: readonly string[] },
  ): Promise<IssuedToken>
  findToken(id: string): Promise<ApiToken | null>
  /** Newest first, with those that have ended; of one user, or of all (null). */
  listTokens(userId: string | null, page: PageRequest): Promise<Page<ApiToken>>
  /** From now on it opens nothing. One that has ended stays as it is. */
  revokeToken(id: string): Promise<void>
  /**
   * For whom a token, or that of a session, speaks; null when it is unknown, expired or revoked. What was revoked or changed through this very process counts at
   * once, what was through another within a second.
   */
  identify(token: string): Promise<Identity | null>
}

export interface IssuedToken extends ApiToken {
  /** What its bearer sends. */
  readonly secret: string
}

/** How the tokens that users make for programs begin. */
const API_TOKEN = 'sk_'
/** Most tokens of one user that work at a time. */
const MAX_TOKENS = 100
/** A token's use is noted at most so often. */
const NOTE_USE_EVERY_MS = 60_000
export function tokenStore(database: Database, trusted: TrustedTokens): TokenStore {
  const distrustAll = () => trusted.distrustAll()

  return {
    createToken(userId, name, { expiresAt, replace = false, scopes } = {}) {
      const secret = `${API_TOKEN}${randomBytes(32).toString('base64url')}`
      const work = database.transaction(async (session) => {
        const now = new Date()
        const owners = await session.$queryRaw<
          unknown[]
        >`SELECT 1 FROM users WHERE id = ${userId} AND deleted_at IS NULL FOR UPDATE`
        if (owners.length === 0) throw new AppError('NOT_FOUND', 'There is no such user.')
        const works = { userId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }
        if (replace) await session.apiToken.updateMany({ where: { ...works, name }, data: { revokedAt: now } })
        if ((await session.apiToken.count({ where: works })) >= MAX_TOKENS)
          throw new AppError('CONFLICT', `A user has up to ${MAX_TOKENS} tokens. Revoke one first.`)
        const kept = { expiresAt: expiresAt ?? null, scopes: scopes ? scopes.join(' ') : null }
        const data = { id: newId(), userId, name, tokenHash: tokenHashOf(secret), ...kept }
        return { ...toToken(await session.apiToken.create({ data })), secret }
      })
      return replace ? work.finally(distrustAll) : work
    },

    async findToken(id) {
      const row = await database.run((client) => client.apiToken.findUnique({ where: { id } }))
      return row && toToken(row)
    },

    listTokens(userId, request) {
      return database.run((client) => {
        const where = userId === null ? {} : { userId }
        const find = (slice: object) => client.apiToken.findMany({ where, orderBy: { id: 'desc' }, ...slice })
        return pageOf(request, find, client.apiToken.count({ where }), toToken)
      })
    },

    async revokeToken(id) {
      const work = database.run((client) =>
        client.apiToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } }),
      )
      await work.finally(distrustAll)
    },

    async identify(token) {
      const tokenHash = tokenHashOf(token)
      const known = trusted.find(tokenHash)
      if (known) return known
      const era = trusted.begin()
      const found = await (token.startsWith(API_TOKEN) ? byApiToken(tokenHash) : bySession(tokenHash))
      if (!found) return null
      const { identity, expiresAt } = found
      trusted.trust(tokenHash, identity, expiresAt ? expiresAt.getTime() - Date.now() : Infinity, era)
      return identity
    },
  }

  async function byApiToken(tokenHash: string) {
    const where = { tokenHash }
    const row = await database.run((client) => client.apiToken.findUnique({ where, include: { user: true } }))
    const now = Date.now()
    if (!row || row.revokedAt || row.user.deletedAt || (row.expiresAt && row.expiresAt.getTime() <= now)) return null
    if (!row.lastUsedAt || now - row.lastUsedAt.getTime() > NOTE_USE_EVERY_MS) {
      await database.run((client) => client.apiToken.updateMany({ where, data: { lastUsedAt: new Date(now) } }))
    }
    const credential = { kind: 'token', id: row.id, scopes: scopesOf(row) } as const
    return { identity: { user: toUser(row.user), credential }, expiresAt: row.expiresAt }
  }

  async function bySession(tokenHash: string) {
    const where = { tokenHash, expiresAt: { gt: new Date() }, user: { deletedAt: null } }
    const row = await database.run((client) => client.session.findFirst({ where, include: { user: true } }))
    const credential = row && ({ kind: 'session', id: row.id, scopes: null } as const)
    return credential && { identity: { user: toUser(row.user), credential }, expiresAt: row.expiresAt }
  }
}

export function toUser({ id, username, name, role, premium, createdAt }: User): User {
  return { id, username, name, role, premium, createdAt }
}

function toToken(row: TokenRow): ApiToken {
  const { id, userId, name, createdAt, expiresAt, lastUsedAt, revokedAt } = row
  return { id, userId, name, createdAt, expiresAt, lastUsedAt, revokedAt, scopes: scopesOf(row) }
}

function scopesOf({ scopes }: TokenRow): string[] | null {
  return scopes === null ? null : scopes.split(' ').filter((scope) => scope !== '')
}

/** Tokens hold as much chance as nobody can try out, so a plain hash is as good as a slow one. */
export function tokenHashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

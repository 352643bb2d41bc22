import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '@skipcast/runtime'
import { isDuplicate } from '../database-errors.ts'
import type { Database } from '../database.ts'
import type { ApiToken as TokenRow } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { matching, orderOf, pageOf } from './lists.ts'
import type { ApiToken, ListRequest, Page, PageRequest, Role, User, UserSort } from './records.ts'

/** Users and the tokens that speak for them. Every method may reject with DATABASE_UNAVAILABLE. */
export interface AccountStore {
  /** Rejects with CONFLICT when the name is taken. */
  createUser(user: { username: string; role: Role }): Promise<User>
  findAdministrator(): Promise<User | null>
  /** Searches the user names. */
  listUsers(request: ListRequest<UserSort>): Promise<Page<User>>
  /** Rejects with NOT_FOUND, or with CONFLICT when nobody would be left who may administer. */
  changeRole(userId: string, role: Role): Promise<User>
  /**
   * Makes a token; nobody can read its secret again. With `replace`, the user's older tokens of this name end. Rejects with NOT_FOUND for the user,
   * or CONFLICT when they have too many that work.
   */
  createToken(userId: string, name: string, options?: { expiresAt?: Date; replace?: boolean }): Promise<IssuedToken>
  findToken(id: string): Promise<ApiToken | null>
  /** Newest first, with those that have ended; of one user, or of all (null). */
  listTokens(userId: string | null, page: PageRequest): Promise<Page<ApiToken>>
  /** From now on it opens nothing. One that has ended stays as it is. */
  revokeToken(id: string): Promise<void>
  /**
   * The user for whom a token speaks; null when it is unknown, expired or revoked. What was revoked or changed through this very store counts at once,
   * what was through another process within a second.
   */
  findByToken(token: string): Promise<User | null>
}

export interface IssuedToken extends ApiToken {
  /** What its bearer sends. */
  readonly secret: string
}

/** Most tokens of one user that work at a time. */
const MAX_TOKENS = 100
/** A token's use is noted at most so often. */
const NOTE_USE_EVERY_MS = 60_000
/** A token that has just proved valid is not looked up again for so long. */
const TRUST_TOKENS_MS = 1000
/** So many at most. */
const MAX_TRUSTED = 10_000

export function accountStore(database: Database): AccountStore {
  /** By the token's hash. */
  const trusted = new Map<string, { readonly user: User; readonly until: number }>()
  /** Grows when something was revoked: what was read before is not to be trusted after. */
  let era = 0
  const distrustAll = () => {
    era += 1
    trusted.clear()
  }
  const trust = (hash: string, user: User, expiresInMs: number) => {
    if (trusted.size >= MAX_TRUSTED) trusted.clear()
    trusted.set(hash, { user, until: performance.now() + Math.min(TRUST_TOKENS_MS, expiresInMs) })
  }

  return {
    async createUser(user) {
      const work = database.run((client) => client.user.create({ data: { ...user, id: newId() } }))
      return toUser(
        await work.catch((error: unknown) => {
          if (isDuplicate(error)) throw new AppError('CONFLICT', `The user name "${user.username}" is taken.`)
          throw error
        }),
      )
    },

    async findAdministrator() {
      const row = await database.run((client) => client.user.findFirst({ where: { role: 'admin' }, orderBy: { id: 'asc' } }))
      return row && toUser(row)
    },

    listUsers(request) {
      return database.run((client) => {
        const where = matching(['username'], request.search)
        const orderBy = orderOf(request, { created_at: 'id', username: 'username' })
        return pageOf(
          request,
          (slice) => client.user.findMany({ where, orderBy, ...slice }),
          client.user.count({ where }),
          toUser,
        )
      })
    },

    async changeRole(id, role) {
      const work = database.transaction(async (session) => {
        // All at once would each see the other as the one who is left.
        const administrators = await session.$queryRaw<
          { id: string }[]
        >`SELECT id FROM users WHERE role = 'admin' ORDER BY id FOR UPDATE`
        if (role !== 'admin' && administrators.length === 1 && administrators[0]!.id === id)
          throw new AppError('CONFLICT', 'This is the only administrator. Make somebody else one first.')
        const [row] = await session.user.updateManyAndReturn({ where: { id }, data: { role } })
        if (!row) throw new AppError('NOT_FOUND', 'There is no such user.')
        return toUser(row)
      })
      return work.finally(distrustAll)
    },

    createToken(userId, name, { expiresAt = null, replace = false }: { expiresAt?: Date | null; replace?: boolean } = {}) {
      const secret = `sk_${randomBytes(32).toString('base64url')}`
      const work = database.transaction(async (session) => {
        const now = new Date()
        const owners = await session.$queryRaw<unknown[]>`SELECT 1 FROM users WHERE id = ${userId} FOR UPDATE`
        if (owners.length === 0) throw new AppError('NOT_FOUND', 'There is no such user.')
        const works = { userId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }
        if (replace) await session.apiToken.updateMany({ where: { ...works, name }, data: { revokedAt: now } })
        if ((await session.apiToken.count({ where: works })) >= MAX_TOKENS)
          throw new AppError('CONFLICT', `A user has up to ${MAX_TOKENS} tokens. Revoke one first.`)
        const data = { id: newId(), userId, name, tokenHash: hashOf(secret), expiresAt }
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

    async findByToken(token) {
      const tokenHash = hashOf(token)
      const known = trusted.get(tokenHash)
      if (known && performance.now() < known.until) return known.user
      const readIn = era
      const where = { tokenHash }
      const row = await database.run((client) => client.apiToken.findUnique({ where, include: { user: true } }))
      const now = Date.now()
      if (!row || row.revokedAt || (row.expiresAt && row.expiresAt.getTime() <= now)) return null
      if (!row.lastUsedAt || now - row.lastUsedAt.getTime() > NOTE_USE_EVERY_MS) {
        await database.run((client) => client.apiToken.updateMany({ where, data: { lastUsedAt: new Date(now) } }))
      }
      const user = toUser(row.user)
      if (readIn === era) trust(tokenHash, user, row.expiresAt ? row.expiresAt.getTime() - now : Infinity)
      return user
    },
  }
}

function toUser({ id, username, role, createdAt }: User): User {
  return { id, username, role, createdAt }
}

function toToken({ id, userId, name, createdAt, expiresAt, lastUsedAt, revokedAt }: TokenRow): ApiToken {
  return { id, userId, name, createdAt, expiresAt, lastUsedAt, revokedAt }
}

/** Tokens hold 256 bits of chance, so a plain hash is as good as a slow one. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

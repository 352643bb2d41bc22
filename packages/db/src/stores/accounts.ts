import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '@skipcast/runtime'
import { isDuplicate } from '../database-errors.ts'
import type { Database } from '../database.ts'
import { newId } from '../new-id.ts'
import type { Role, User } from './records.ts'

/** Users and the tokens that speak for them. Every method may reject with DATABASE_UNAVAILABLE. */
export interface AccountStore {
  /** Rejects with CONFLICT when the name is taken. */
  createUser(user: { username: string; role: Role }): Promise<User>
  findAdministrator(): Promise<User | null>
  /** Makes a token and returns it; nobody can read it again. With `replace`, the user's older tokens of this name end. */
  createToken(userId: string, name: string, options?: { expiresAt?: Date; replace?: boolean }): Promise<string>
  /** The user for whom a token speaks; null when it is unknown, expired or revoked. */
  findByToken(token: string): Promise<User | null>
}

/** A token's use is noted at most so often. */
const NOTE_USE_EVERY_MS = 60_000

export function accountStore(database: Database): AccountStore {
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

    async createToken(userId, name, options = {}) {
      const token = `sk_${randomBytes(32).toString('base64url')}`
      await database.transaction(async (session) => {
        if (options.replace)
          await session.apiToken.updateMany({ where: { userId, name, revokedAt: null }, data: { revokedAt: new Date() } })
        const expiresAt = options.expiresAt ?? null
        await session.apiToken.create({ data: { id: newId(), userId, name, tokenHash: hashOf(token), expiresAt } })
      })
      return token
    },

    async findByToken(token) {
      const where = { tokenHash: hashOf(token) }
      const row = await database.run((client) => client.apiToken.findUnique({ where, include: { user: true } }))
      const now = Date.now()
      if (!row || row.revokedAt || (row.expiresAt && row.expiresAt.getTime() <= now)) return null
      if (!row.lastUsedAt || now - row.lastUsedAt.getTime() > NOTE_USE_EVERY_MS) {
        await database.run((client) => client.apiToken.updateMany({ where, data: { lastUsedAt: new Date(now) } }))
      }
      return toUser(row.user)
    },
  }
}

function toUser({ id, username, role }: User): User {
  return { id, username, role }
}

/** Tokens hold 256 bits of chance, so a plain hash is as good as a slow one. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

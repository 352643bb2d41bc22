import type { Database } from '../database.ts'
import type { TrustedTokens } from './trusted-tokens.ts'

/** What log-ins began. Every method may reject with DATABASE_UNAVAILABLE. */
export interface SessionStore {
  /** Those of a user that have not expired, newest first. */
  listSessions(userId: string): Promise<SessionRecord[]>
  /** Resolves with whether this user had it. */
  endSession(userId: string, id: string): Promise<boolean>
  /** All of a user’s. */
  endSessions(userId: string): Promise<void>
  /** All sessions and tokens of a user end. */
  endCredentials(userId: string): Promise<void>
}

export interface SessionRecord {
  readonly id: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Nobody reads more of them; those that are older end with all the others. */
const MAX_LISTED = 1000

export function sessionStore(database: Database, tokens: TrustedTokens): SessionStore {
  const distrustAll = () => tokens.distrustAll()
  const remove = async (where: { userId: string; id?: string }) => {
    const work = database.run((client) => client.session.deleteMany({ where }))
    return (await work.finally(distrustAll)).count > 0
  }

  return {
    listSessions(userId) {
      const where = { userId, expiresAt: { gt: new Date() } }
      const select = { id: true, createdAt: true, expiresAt: true }
      const orderBy = [{ createdAt: 'desc' as const }, { id: 'desc' as const }]
      return database.run((client) => client.session.findMany({ where, select, orderBy, take: MAX_LISTED }))
    },

    endSession: (userId, id) => remove({ userId, id }),
    endSessions: async (userId) => void (await remove({ userId })),

    async endCredentials(userId) {
      const work = database.transaction(async (session) => {
        await session.session.deleteMany({ where: { userId } })
        await session.apiToken.updateMany({ where: { userId, revokedAt: null }, data: { revokedAt: new Date() } })
      })
      await work.finally(distrustAll)
    },
  }
}

import type { MessageOf } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import { isDuplicate } from '../database-errors.ts'
import type { Database, Session } from '../database.ts'
import type { User as UserRow } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { enqueue } from './channel-writes.ts'
import { matching, orderOf, pageOf } from './lists.ts'
import type { Account, Role, User, UserSort } from './account-records.ts'
import type { ListRequest, Page } from './records.ts'
import { sessionStore, type SessionStore } from './sessions.ts'
import { tokenStore, toUser, type TokenStore } from './tokens.ts'
import type { TrustedTokens } from './trusted-tokens.ts'

/** Users, and what speaks for them. Every method may reject with DATABASE_UNAVAILABLE. */
export interface AccountStore extends TokenStore, SessionStore {
  /** Rejects with CONFLICT when the name or the address is taken. */
  createUser(user: NewUser): Promise<User>
  /** What a user sees of themselves; null when there is none, or none any more. */
  findAccount(userId: string): Promise<Account | null>
  findAccountByEmail(email: string): Promise<Account | null>
  /** Also by somebody who was deleted. */
  isUsernameTaken(username: string): Promise<boolean>
  rename(userId: string, name: string): Promise<void>
  /** A registration is one no more: its user may log in. */
  confirmEmail(userId: string): Promise<void>
  /** The address was proved to be this user's. Rejects with CONFLICT when it is somebody else's by now. */
  changeEmail(userId: string, email: string): Promise<void>
  /** Resolves to whether nobody claimed this key, which is no secret, and is forgotten then: of many at once, one. */
  claim(key: string, userId: string, until: Date): Promise<boolean>
  /** Removes a registration that nobody has confirmed, whoever made it. One that was confirmed stays. */
  dropRegistration(userId: string): Promise<void>
  /**
   * From now on nothing speaks for this user: sessions, tokens and ways to log in end; their address is free again, their user name is not. What they own is to be put into
   * the trash next.
   * With `erase`, nothing of that stays either (`Erasure`); also of somebody who was deleted before. Resolves to whether there was such a user. Rejects with CONFLICT
   * for the only administrator.
   */
  deleteUser(userId: string, options?: { readonly erase: boolean }): Promise<boolean>
  /** The channels of users who were deleted, that are not in the trash. */
  listOrphanedChannels(limit: number): Promise<string[]>
  /** Their pieces that are not in the trash, in order of id, beginning after `afterId`. */
  listOrphanedMedia(afterId: string, limit: number): Promise<string[]>
  /** Forgets registrations that nobody confirmed in time, and sessions and one-time values that have expired. */
  forgetExpired(now: Date): Promise<void>
  /** Puts a mail into the outbox. */
  sendMail(key: string, mail: MessageOf<'mails'>): Promise<void>
  findAdministrator(): Promise<User | null>
  /** Searches the user names; without registrations that nobody has confirmed. */
  listUsers(request: ListRequest<UserSort>): Promise<Page<User>>
  /** Rejects with NOT_FOUND, or with CONFLICT when nobody would be left who may administer. */
  changeUser(userId: string, change: { readonly role?: Role | undefined; readonly premium?: boolean | undefined }): Promise<User>
}

interface NewUser {
  readonly username: string
  readonly role: Role
  readonly name?: string
  /** Not confirmed yet. */
  readonly email?: string | undefined
  /** Made by itself, and to be confirmed by then. */
  readonly registration?: { readonly id: string; readonly name: string; readonly confirmBy: Date }
}

export function accountStore(database: Database, tokens: TrustedTokens): AccountStore {
  const distrustAll = () => tokens.distrustAll()

  return {
    ...tokenStore(database, tokens),
    ...sessionStore(database, tokens),

    async createUser({ registration, email, ...given }) {
      const data = { id: newId(), ...given, ...(email && { email: email.toLowerCase() }), ...registration }
      const work = database.run((client) => client.user.create({ data }))
      return toUser(
        await work.catch((error: unknown) => {
          if (!isDuplicate(error)) throw error
          const either = email === undefined ? '' : ', or the address'
          throw new AppError('CONFLICT', `The user name "${given.username}"${either} is taken.`)
        }),
      )
    },

    async findAccount(id) {
      const row = await database.run((client) => client.user.findFirst({ where: { id, deletedAt: null }, include: WAYS_IN }))
      return row && toAccount(row)
    },

    async findAccountByEmail(email) {
      const where = { email: email.toLowerCase(), deletedAt: null }
      const row = await database.run((client) => client.user.findFirst({ where, include: WAYS_IN }))
      return row && toAccount(row)
    },

    async isUsernameTaken(username) {
      return (await database.run((client) => client.user.count({ where: { username } }))) > 0
    },

    async rename(id, name) {
      const work = database.run((client) => client.user.updateMany({ where: { id }, data: { name, updatedAt: new Date() } }))
      await work.finally(distrustAll)
    },

    async confirmEmail(id) {
      const data = { emailVerified: true, confirmBy: null, updatedAt: new Date() }
      const where = { id, email: { not: null }, deletedAt: null }
      await database.run((client) => client.user.updateMany({ where, data })).finally(distrustAll)
    },

    async changeEmail(id, email) {
      const data = { email: email.toLowerCase(), emailVerified: true, confirmBy: null, updatedAt: new Date() }
      const work = database.run((client) => client.user.updateMany({ where: { id, deletedAt: null }, data }))
      await work
        .catch((error: unknown) => {
          throw isDuplicate(error) ? new AppError('CONFLICT', 'This address is somebody’s already.') : error
        })
        .finally(distrustAll)
    },

    async claim(key, userId, until) {
      const data = [{ id: key, identifier: key, value: userId, expiresAt: until }]
      return (await database.run((client) => client.oneTimeValue.createMany({ data, skipDuplicates: true }))).count === 1
    },

    async dropRegistration(id) {
      await database.run((client) => client.user.deleteMany({ where: { ...UNCONFIRMED, id } }))
    },

    async deleteUser(id, { erase } = { erase: false }) {
      const work = database.transaction(async (session) => {
        await requireAnotherAdministrator(session, id)
        const now = new Date()
        const nothing = { email: null, emailVerified: false, name: '', role: 'listener', twoFactorEnabled: false } as const
        const { count } = await session.user.updateMany({
          where: { id, deletedAt: null },
          data: { ...nothing, confirmBy: null, deletedAt: now, updatedAt: now },
        })
        await session.session.deleteMany({ where: { userId: id } })
        await session.login.deleteMany({ where: { userId: id } })
        await session.twoFactor.deleteMany({ where: { userId: id } })
        await session.oneTimeValue.deleteMany({ where: { value: id } })
        await session.apiToken.updateMany({ where: { userId: id, revokedAt: null }, data: { revokedAt: now } })
        if (!erase) return count > 0
        const gone = { id, deletedAt: { not: null } }
        return (await session.user.updateMany({ where: gone, data: { eraseAt: now } })).count > 0
      })
      return work.finally(distrustAll)
    },

    async listOrphanedChannels(limit) {
      const where = { deletedAt: null, owner: { deletedAt: { not: null } } }
      const rows = await database.run((client) => client.channel.findMany({ where, select: { id: true }, take: limit }))
      return rows.map(({ id }) => id)
    },

    async listOrphanedMedia(afterId, limit) {
      const where = { id: { gt: afterId }, deletedAt: null, owner: { deletedAt: { not: null } } }
      const asked = { where, select: { id: true }, orderBy: { id: 'asc' }, take: limit } as const
      return (await database.run((client) => client.media.findMany(asked))).map(({ id }) => id)
    },

    async forgetExpired(now) {
      const expired = { where: { expiresAt: { lt: now } } }
      await database.run((client) => client.session.deleteMany(expired))
      await database.run((client) => client.oneTimeValue.deleteMany(expired))
      await database.run((client) => client.user.deleteMany({ where: { ...UNCONFIRMED, confirmBy: { lt: now } } }))
    },

    async sendMail(key, mail) {
      await database.run((client) => enqueue(client, 'mails', key, mail))
    },

    async findAdministrator() {
      const where = { role: 'admin', deletedAt: null } as const
      const row = await database.run((client) => client.user.findFirst({ where, orderBy: { id: 'asc' } }))
      return row && toUser(row)
    },

    listUsers(request) {
      return database.run((client) => {
        const where = { ...matching(['username'], request.search), deletedAt: null, confirmBy: null }
        const orderBy = orderOf(request, { created_at: 'id', username: 'username' })
        return pageOf(
          request,
          (slice) => client.user.findMany({ where, orderBy, ...slice }),
          client.user.count({ where }),
          toUser,
        )
      })
    },

    async changeUser(id, { role, premium }) {
      const work = database.transaction(async (session) => {
        if (role !== undefined && role !== 'admin') await requireAnotherAdministrator(session, id)
        const where = { id, deletedAt: null }
        const [row] = await session.user.updateManyAndReturn({
          where,
          data: { ...(role && { role }), ...(premium !== undefined && { premium }), updatedAt: new Date() },
        })
        if (!row) throw new AppError('NOT_FOUND', 'There is no such user.')
        return toUser(row)
      })
      return work.finally(distrustAll)
    },
  }
}

/** All at once would each see the other as the one who is left. Rejects with CONFLICT. */
async function requireAnotherAdministrator(session: Session, id: string): Promise<void> {
  const administrators = await session.$queryRaw<
    { id: string }[]
  >`SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL ORDER BY id FOR UPDATE`
  if (administrators.length === 1 && administrators[0]!.id === id)
    throw new AppError('CONFLICT', 'This is the only administrator. Make somebody else one first.')
}

/** A registration that nobody has confirmed; it owns nothing, as nobody can log in with it. */
const UNCONFIRMED = { emailVerified: false, confirmBy: { not: null }, deletedAt: null } as const

const WAYS_IN = { logins: { select: { providerId: true } } } as const

function toAccount(row: UserRow & { logins: { providerId: string }[] }): Account {
  const { email, emailVerified, twoFactorEnabled, logins } = row
  return { ...toUser(row), email, emailVerified, twoFactorEnabled, providers: logins.map(({ providerId }) => providerId) }
}

/** What the stores of people take and give. */

export type Role = 'admin' | 'dj' | 'listener'

export interface User {
  readonly id: string
  readonly username: string
  /** What others call them; may be empty. */
  readonly name: string
  readonly role: Role
  /** May have any number of channels. */
  readonly premium: boolean
  readonly createdAt: Date
}

/** A user as they see themselves. */
export interface Account extends User {
  /** In lower case; null: made by an admin. */
  readonly email: string | null
  readonly emailVerified: boolean
  readonly twoFactorEnabled: boolean
  /** How they can log in: `credential` (a password), or the names of providers. */
  readonly providers: readonly string[]
}

/** Who asks, and by what it was proved. */
export interface Identity {
  readonly user: User
  readonly credential: {
    readonly kind: 'session' | 'token'
    readonly id: string
    /** What it is good for; null: all that its user may. */
    readonly scopes: readonly string[] | null
  }
}

export type UserSort = 'created_at' | 'username'

/** What is known of a token; its secret is not. */
export interface ApiToken {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly createdAt: Date
  /** null: never. */
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly revokedAt: Date | null
  /** What it is good for; null: all that its user may. */
  readonly scopes: readonly string[] | null
}

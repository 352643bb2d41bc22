import type { Role } from '@skipcast/db'

/** Each role may do all that those before it may. */
const ROLES: readonly Role[] = ['listener', 'dj', 'admin']

/** To what of a kind: to nothing, to what is one's own, to anybody's. What belongs to nobody counts as one's own. */
export type Reach = 'none' | 'own' | 'any'

/** Everything that can be done, `resource:action`, and who may do it. It is asked anew with each request; no other place decides by roles. */
const permissions = {
  //                   listener  dj     admin
  'channels:read': ['own', 'own', 'any'], // private ones; the others are for everybody
  'channels:create': ['none', 'own', 'any'],
  'channels:change': ['none', 'own', 'any'],
  'channels:delete': ['none', 'own', 'any'],
  'channels:restore': ['none', 'own', 'any'],
  'channels:like': ['any', 'any', 'any'],
  'reviews:create': ['any', 'any', 'any'],
  'reviews:delete': ['own', 'own', 'any'],
  'genres:create': ['none', 'none', 'any'],
  'genres:delete': ['none', 'none', 'any'],
  'streams:control': ['none', 'own', 'any'],
  'streams:measure': ['none', 'own', 'any'],
  'playlists:change': ['none', 'own', 'any'],
  'placement:read': ['none', 'own', 'any'],
  'placement:change': ['none', 'own', 'any'],
  'media:create': ['none', 'own', 'any'],
  'media:read': ['own', 'own', 'any'],
  'media:change': ['own', 'own', 'any'],
  'media:delete': ['own', 'own', 'any'],
  'media:like': ['own', 'own', 'any'], // and public ones
  'media:sweep': ['none', 'none', 'any'],
  'servers:read': ['none', 'none', 'any'],
  'servers:drain': ['none', 'none', 'any'],
  'users:read': ['none', 'none', 'any'],
  'users:create': ['none', 'none', 'any'],
  'users:change': ['none', 'none', 'any'],
  'users:delete': ['none', 'none', 'any'],
  'tokens:read': ['own', 'own', 'any'],
  'tokens:create': ['own', 'own', 'any'],
  'tokens:revoke': ['own', 'own', 'any'],
  'account:read': ['own', 'own', 'own'],
  'account:export': ['own', 'own', 'own'],
  'account:change': ['own', 'own', 'own'],
  'account:delete': ['own', 'own', 'own'],
  'session:end': ['own', 'own', 'own'],
  'metrics:read': ['any', 'any', 'any'],
} as const satisfies Record<string, readonly [Reach, Reach, Reach]>

export type Permission = keyof typeof permissions

export const allPermissions = Object.keys(permissions) as Permission[]

/** How far a role reaches with something. */
export function reachOf(role: Role, permission: Permission): Reach {
  return permissions[permission][ROLES.indexOf(role)]!
}

const WITH_A_SESSION: readonly Permission[] = ['account:export', 'account:change', 'account:delete']

/** What no token for programs is good for, whatever its scopes: who has found one shall not take the account over with it, nor all that is known of its user. */
export function needsSession(permission: Permission): boolean {
  return WITH_A_SESSION.includes(permission)
}

/** Whether a credential is good for something; null: for all that its user may. Each can end itself. */
export function isInScope(scopes: readonly string[] | null, permission: Permission): boolean {
  return scopes === null || permission === 'session:end' || scopes.includes(permission)
}

/** Nobody gives what they lack, whichever route they come by. */
export function mayGrant(giver: Role, given: Role): boolean {
  return ROLES.indexOf(given) <= ROLES.indexOf(giver)
}

/** A token hands on no more than it is good for itself; null: all that its user may. */
export function mayHandOn(own: readonly string[] | null, given: readonly string[] | null): boolean {
  return own === null || (given !== null && given.every((scope) => own.includes(scope)))
}

import type { Role } from '@skipcast/db'

/** Each role may do all that those before it may. */
const ROLES: readonly Role[] = ['listener', 'dj', 'admin']

/** Nobody gives what they lack, whichever route they come by. */
export function mayGrant(giver: Role, given: Role): boolean {
  return ROLES.indexOf(given) <= ROLES.indexOf(giver)
}

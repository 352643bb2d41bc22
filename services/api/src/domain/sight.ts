import type { Channel, Media, Sight, User } from '@skipcast/db'
import { isInScope, reachOf, type Permission } from './roles.ts'

/** What shows private channels to whoever has it. */
const SEEING: Permission = 'channels:read'

/** What somebody may know of, whom a credential with these scopes speaks for (null: nobody is known). */
export function sightOf(user: User | null, scopes: readonly string[] | null): Sight {
  if (!user || !isInScope(scopes, SEEING)) return 'public'
  return reachOf(user.role, SEEING) === 'any' ? 'everything' : { ownerId: user.id }
}

/** Whether there is such a channel, as far as somebody may know. */
export function isInSight(sight: Sight, { ownerId, privacy }: Pick<Channel, 'ownerId' | 'privacy'>): boolean {
  return privacy === 'public' || isTheirs(sight, { ownerId })
}

/** Whether something is shown to somebody as its owner sees it. */
export function isTheirs(sight: Sight, { ownerId }: { readonly ownerId: string }): boolean {
  return sight === 'everything' || (sight !== 'public' && sight.ownerId === ownerId)
}

/** Whether there is such a piece for those whose it is not. */
export function isForAll({ visibility, state }: Pick<Media, 'visibility' | 'state'>): boolean {
  return visibility === 'public' && state === 'ready'
}

import { randomInt } from 'node:crypto'
import type { Genre, User } from '@skipcast/db'
import { AppError, isAppError } from '@skipcast/runtime'
import { reachOf } from './domain/roles.ts'
import { slugFor, stemOf } from './domain/slug.ts'
import type { ApiPorts } from './ports.ts'

const SUFFIX_LENGTH = 6

/** What tells slugs of the same name apart: digits of base 36. */
export function randomSuffix(): string {
  return randomInt(36 ** SUFFIX_LENGTH)
    .toString(36)
    .padStart(SUFFIX_LENGTH, '0')
}

/**
 * The ids of the genres that somebody names: `genreIds` as they are, or one by its name. Who may make genres makes one by naming it. undefined where nothing is
 * said of genres. Rejects with UNPROCESSABLE for a name that there is not, DATABASE_UNAVAILABLE.
 */
export async function namedGenres(
  ports: Pick<ApiPorts, 'stores'>,
  actor: User,
  said: { readonly genreIds?: number[] | undefined; readonly name?: string | undefined },
): Promise<number[] | undefined> {
  if (said.genreIds) return [...new Set(said.genreIds)].toSorted((a, b) => a - b)
  if (said.name === undefined) return undefined
  if (said.name.trim() === '') return []
  const known = await ports.stores.genres.findByName(said.name)
  if (known) return [known.id]
  if (reachOf(actor.role, 'genres:create') === 'none')
    throw new AppError('UNPROCESSABLE', `genre: there is no genre ${JSON.stringify(said.name)}. See GET /api/genres.`)
  return [(await makeGenre(ports, said.name)).id]
}

/** A genre with a slug that follows from its name; of two at once that make the same one, both get it. Rejects with CONFLICT, DATABASE_UNAVAILABLE. */
async function makeGenre({ stores: { genres } }: Pick<ApiPorts, 'stores'>, name: string): Promise<Genre> {
  const stem = stemOf(name)
  for (const slug of [stem, slugFor(stem || 'genre', randomSuffix())]) {
    if (slug === '') continue
    const made = await genres.create({ name, slug }).catch((error: unknown) => {
      if (!isAppError(error, 'CONFLICT')) throw error
      return genres.findByName(name)
    })
    if (made) return made
  }
  throw new AppError('CONFLICT', 'This genre could not be made. Make it by POST /api/genres.')
}

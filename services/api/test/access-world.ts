import { newId, tokenHashOf, type Role } from '@skipcast/db'
import type { Permission } from '../src/domain/roles.ts'
import { musicRecord, type TestApi } from './test-api.ts'
import { giveArtwork } from './test-artwork.ts'

/** A file of every kind; a test that serves it puts it into the store. */
export const SOME_FILE = musicRecord('').sha256
const DAY_MS = 86_400_000

/** Somebody with one of everything that a path can name. */
export interface Somebody {
  readonly id: string
  /** The token of a session. */
  readonly session: string
  /** What stands for each parameter of a path. */
  readonly objects: Readonly<Record<string, string>>
}

/** Makes somebody with a session and one of everything that a path can name: **a new parameter gets its object here.** */
export async function somebody(api: TestApi, role: Role): Promise<Somebody> {
  const { accounts, channels, genres, media, uploads } = api.stores
  const { id } = await accounts.createUser({ username: newId(), role })
  const [session, sessionId] = [newId(), newId()]
  const fields = { name: 'x', slug: `x-${newId()}`, description: '', mode: 'copy', bitrateKbps: 128 } as const
  const expiresAt = new Date(Date.now() + DAY_MS)
  const announced = { id: newId(), ownerId: id, fileName: 'x', sizeBytes: 1, expiresAt, place: 'somewhere' }
  const [channel, trashed, piece, trashedPiece, token, genre, upload] = await Promise.all([
    channels.create({ ...fields, ownerId: id }),
    channels.create({ ...fields, slug: `t-${newId()}`, ownerId: id }),
    media.add({ ...musicRecord(id), fileSha256: SOME_FILE, coverSha256: SOME_FILE, waveformSha256: SOME_FILE }),
    media.add(musicRecord(id)),
    accounts.createToken(id, 'one of theirs'),
    genres.create({ name: sessionId, slug: sessionId }),
    uploads.create(announced, 0),
    api.stores.accountRows.create('session', { id: sessionId, userId: id, tokenHash: tokenHashOf(session), expiresAt }),
  ])
  await channels.discard(trashed)
  await giveArtwork(api, channel.id, SOME_FILE)
  await api.stores.mediaTrash.put(trashedPiece.id)
  const review = await api.stores.opinions.review(channel.id, id, 'Fine')
  const objects = {
    channel: channel.id,
    trashed: trashed.id,
    review: review.id,
    media: piece.id,
    trashedPiece: trashedPiece.id,
    upload: upload.id,
    token: token.id,
    session: sessionId,
    genre: String(genre.id),
    user: id,
    server: 'studio',
    provider: 'google',
    '*': 'index.html',
  }
  return { id, session, objects }
}

/** A path with somebody's objects in it. */
export function pathTo(pattern: string, { objects }: Pick<Somebody, 'objects'>): string {
  return pattern.replaceAll(/:(\w+)|\*/g, (all, name: string = all) => {
    const value = objects[name]
    if (value === undefined) throw new Error(`${pattern}: access-world.ts makes no object for ${name}`)
    return value
  })
}

/** A token that is good for this alone. */
export async function tokenFor(api: TestApi, userId: string, scopes: readonly Permission[]): Promise<string> {
  return (await api.stores.accounts.createToken(userId, 'scoped', { scopes })).secret
}

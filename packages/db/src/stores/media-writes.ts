import type { MediaJob } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import type { Session } from '../database.ts'
import type { MediaJob as JobRow, Media as MediaRow, Prisma } from '../generated/client.ts'
import { newId } from '../new-id.ts'
import { enqueue, lockChannelIfThere, writeChannel } from './channel-writes.ts'
import type { Media, MediaFile, NewMedia, ToCommand } from './records.ts'

/** What the stores of media do inside a transaction. */

/** Pieces as records, with how many like them. */
export async function toMediaList(session: Session, rows: readonly MediaRow[]): Promise<Media[]> {
  const mediaId = { in: rows.map(({ id }) => id) }
  const counted = rows.length === 0 ? [] : await session.mediaLike.groupBy({ by: 'mediaId', where: { mediaId }, _count: true })
  const likes = new Map(counted.map((row) => [row.mediaId, row._count]))
  return rows.map((row) => ({
    ...row,
    sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
    fileSizeBytes: row.fileSizeBytes === null ? null : Number(row.fileSizeBytes),
    likes: likes.get(row.id) ?? 0,
  }))
}

export async function toMedia(session: Session, row: MediaRow): Promise<Media> {
  return (await toMediaList(session, [row]))[0]!
}

/** Where a piece names its files, by their kind in the media store. */
const FILE_COLUMNS = {
  air: 'sha256',
  originals: 'fileSha256',
  covers: 'coverSha256',
  waveforms: 'waveformSha256',
} as const satisfies Record<MediaFile['kind'], keyof Media>

/** The files that a piece has. */
export function filesOf(media: MediaRow): MediaFile[] {
  return (Object.keys(FILE_COLUMNS) as MediaFile['kind'][]).flatMap((kind) => {
    const sha256 = media[FILE_COLUMNS[kind]]
    return sha256 === null ? [] : [{ kind, sha256 }]
  })
}

/** Makes a piece, with the work that it needs. */
export async function createMedia(session: Session, media: NewMedia, jobOf: ((media: Media) => MediaJob) | null): Promise<Media> {
  const made = await toMedia(session, await session.media.create({ data: { ...media, id: newId() } }))
  if (jobOf) await enqueueJob(session, jobOf(made))
  return made
}

/** Work of which the newest wish counts. */
const NEWEST_COUNTS = ['retag_media', 'make_cover', 'make_artwork'] as const satisfies MediaJob['event'][]
type JobSubject = { readonly mediaId: string } | { readonly channelId: string }

/**
 * Asks for work, under the lock of what it is on: the row and the message come with the transaction, or neither does. Where the newest wish counts, what was asked for
 * before is forgotten.
 */
export async function enqueueJob(session: Session, job: MediaJob): Promise<JobRow> {
  const message = job as Prisma.InputJsonObject
  const subject = job.event === 'make_artwork' ? { channelId: job.channel_id } : { mediaId: job.media_id }
  for (const kind of NEWEST_COUNTS) if (kind === job.event) await forgetJobs(session, subject, kind)
  const row = await session.mediaJob.create({ data: { id: job.id, ...subject, kind: job.event, message } })
  await enqueue(session, 'mediaJobs', (row.mediaId ?? row.channelId)!, job)
  return row
}

/** Forgets work of a kind on a piece or a channel: what is told of it later changes nothing. */
export async function forgetJobs(session: Session, subject: JobSubject, kind: (typeof NEWEST_COUNTS)[number]): Promise<void> {
  await session.mediaJob.deleteMany({ where: { ...subject, kind } })
}

/** Where the messages of work name files that it begins with. */
const JOB_FIELDS: Partial<Record<MediaFile['kind'], string>> = { originals: 'original', covers: 'cover' }

/** Those of these files that a piece names, or a channel (its artwork is a cover), or work that is not done. */
export async function listNamed(session: Session, kind: MediaFile['kind'], hashes: readonly string[]): Promise<Set<string>> {
  const column = FILE_COLUMNS[kind]
  const given = { in: [...hashes] }
  const pieces = await session.media.findMany({ where: { [column]: given }, distinct: [column] })
  const named = new Set(pieces.map((piece) => piece[column]!))
  const field = JOB_FIELDS[kind]
  const needed = field
    ? await session.$queryRaw<{ sha256: string }[]>`
        SELECT message ->> ${field}::text AS sha256 FROM media_jobs
        WHERE state IN ('waiting', 'running') AND message ->> ${field}::text = ANY(${[...hashes]})`
    : []
  for (const { sha256 } of needed) named.add(sha256)
  if (kind !== 'covers') return named
  const channels = await session.channel.findMany({ where: { artworkSha256: given }, distinct: ['artworkSha256'] })
  return new Set([...named, ...channels.map(({ artworkSha256 }) => artworkSha256!)])
}

/**
 * The piece with the channels that have it. Holds off whoever is just attaching it, so that these are all there are. Rejects with NOT_FOUND,
 * also for one in the trash.
 */
export async function lockMedia(session: Session, id: string): Promise<{ media: Media; channelIds: string[] }> {
  const found = await lockMediaIfThere(session, id)
  if (!found || found.media.deletedAt) throw new AppError('NOT_FOUND', 'There is no such media.')
  return found
}

/** The same, whether it is in the trash or not; null where there is none. */
export async function lockMediaIfThere(session: Session, id: string): Promise<{ media: Media; channelIds: string[] } | null> {
  await session.$executeRaw`SELECT 1 FROM media WHERE id = ${id} FOR UPDATE`
  const row = await session.media.findUnique({ where: { id }, include: { channels: { orderBy: { channelId: 'asc' } } } })
  if (!row) return null
  const { channels, ...media } = row
  return { media: await toMedia(session, media), channelIds: channels.map(({ channelId }) => channelId) }
}

/** Gives the running ones of these channels a new command: a piece of their playlists is another. Rejects with CONFLICT where one would have none left. */
export async function commandChannels(session: Session, channelIds: readonly string[], toCommand: ToCommand): Promise<void> {
  for (const channelId of channelIds) {
    const channel = await lockChannelIfThere(session, channelId)
    if (channel) await writeChannel(session, channel, {}, toCommand)
  }
}

/** Nobody else adds or removes a file of this content until the transaction ends. */
export async function lockContent(session: Session, sha256: string): Promise<void> {
  await session.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${sha256}, 1))`
}

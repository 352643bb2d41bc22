import type { ArtworkEvent, FileTags, MediaJob as MediaJobMessage, MediaTags, PieceEvent } from '@skipcast/contracts'
import type { Database, Session } from '../database.ts'
import type { MediaJob as MediaJobRow } from '../generated/client.ts'
import { enqueue } from './channel-writes.ts'
import { commandChannels, enqueueJob, lockMediaIfThere, toMedia } from './media-writes.ts'
import type { Media, MediaJob, ToCommand } from './records.ts'

/** Work that the role media was asked for, and what became of it. Every method may reject with DATABASE_UNAVAILABLE. */
export interface MediaJobStore {
  /** The newest ones of a piece, newest first. */
  list(mediaId: string, limit: number): Promise<MediaJob[]>
  /**
   * Writes what a worker told of a job: once, however often it is told. A piece that became ready goes to the running channels that have it; one whose
   * first job failed is failed. What is told of a job that is done, or of none, changes nothing.
   */
  record(event: PieceEvent, decide: MediaDecisions): Promise<void>
  /** Asks again for work that nobody told of since then: a bus without a memory may have lost it. Resolves to how much. */
  askAgain(since: Date): Promise<number>
  /** Forgets some of what was done before then; what is told of it again later changes nothing. Resolves to how much. */
  forgetDone(before: Date): Promise<number>
}

interface MediaDecisions {
  /** What a piece is called by the tags of its file. */
  tagsOf(tags: FileTags, media: Media): MediaTags
  /** The work that a new cover asks for. */
  retagOf(media: Media): MediaJobMessage | null
}

const ASKED_AT_ONCE = 100
const FORGOTTEN_AT_ONCE = 1000

export function mediaJobStore(database: Database, toCommand: ToCommand): MediaJobStore {
  return {
    async list(mediaId, limit) {
      const find = { where: { mediaId }, orderBy: { id: 'desc' }, take: limit } as const
      return (await database.run((client) => client.mediaJob.findMany(find))).map(toJob)
    },

    async record(event, decide) {
      if (event.event === 'media_progress') {
        await database.run((client) =>
          client.mediaJob.updateMany({
            where: { id: event.job_id, state: { in: ['waiting', 'running'] } },
            data: { state: 'running', percent: event.percent, updatedAt: new Date() },
          }),
        )
        return
      }
      await database.transaction(async (session) => {
        const found = await lockMediaIfThere(session, event.media_id)
        if (!found || !(await endJob(session, event))) return
        const { media, channelIds } = found
        const change = changeBy(event, media, decide)
        if (!change) return
        const changed = await toMedia(session, await session.media.update({ where: { id: media.id }, data: change }))
        const retag = event.event === 'cover_made' ? decide.retagOf(changed) : null
        if (retag) await enqueueJob(session, retag)
        if (event.event === 'media_ready' && !changed.deletedAt) await commandChannels(session, channelIds, toCommand)
      })
    },

    askAgain(since) {
      return database.transaction(async (session) => {
        const lost = await session.mediaJob.findMany({
          where: { state: { in: ['waiting', 'running'] }, updatedAt: { lt: since } },
          orderBy: { id: 'asc' },
          take: ASKED_AT_ONCE,
        })
        for (const { id, mediaId, channelId, message } of lost) {
          await session.mediaJob.update({ where: { id }, data: { updatedAt: new Date() } })
          await enqueue(session, 'mediaJobs', (mediaId ?? channelId)!, message as object)
        }
        return lost.length
      })
    },

    async forgetDone(before) {
      const old = { state: 'done', updatedAt: { lt: before } } as const
      const found = await database.run((client) =>
        client.mediaJob.findMany({ where: old, select: { id: true }, take: FORGOTTEN_AT_ONCE }),
      )
      const where = { id: { in: found.map(({ id }) => id) } }
      return (await database.run((client) => client.mediaJob.deleteMany({ where }))).count
    },
  }
}

type Ending = Exclude<PieceEvent, { event: 'media_progress' }>

/** False when the job had ended so already, or was done after all. */
export async function endJob(session: Session, event: Ending | ArtworkEvent): Promise<boolean> {
  const isFailure = event.event === 'media_failed' || event.event === 'artwork_failed'
  const { count } = await session.mediaJob.updateMany({
    where: { id: event.job_id, state: { in: isFailure ? ['waiting', 'running'] : ['waiting', 'running', 'failed'] } },
    data: isFailure
      ? { state: 'failed', problem: event.problem, updatedAt: new Date() }
      : { state: 'done', percent: 100, problem: null, updatedAt: new Date() },
  })
  return count > 0
}

/** What an ending makes of the piece; null: nothing. */
function changeBy(event: Ending, media: Media, decide: MediaDecisions) {
  switch (event.event) {
    case 'media_ready': {
      const { kind, tags, air, sound } = event
      return {
        state: 'ready',
        problem: null,
        kind,
        ...decide.tagsOf(tags, media),
        sha256: air.sha256,
        sizeBytes: air.size_bytes,
        durationMs: air.duration_ms,
        loudnessLufs: sound.loudness_lufs,
        peakDbfs: sound.peak_dbfs,
        cueInMs: sound.cue_in_ms,
        cueOutMs: sound.cue_out_ms,
        coverSha256: event.cover,
        waveformSha256: event.waveform,
        ...fileFields(event.file),
      } as const
    }
    case 'media_retagged':
      return fileFields(event.file)
    case 'cover_made':
      return { coverSha256: event.cover }
    case 'media_failed':
      if (media.state !== 'processing') return null
      // What was to be made of another piece is not there: it takes nothing.
      return { state: 'failed', problem: event.problem, ...(media.fileSha256 === null && { fileSizeBytes: null }) } as const
    default:
      return event satisfies never
  }
}

function fileFields(file: Extract<PieceEvent, { event: 'media_ready' }>['file']) {
  return {
    fileSha256: file.sha256,
    fileSizeBytes: file.size_bytes,
    contentType: file.content_type,
    container: file.container,
    codec: file.codec,
    fileBitrateKbps: file.bitrate_kbps,
    channelCount: file.channels,
    sampleRate: file.sample_rate,
  }
}

export function toJob({ message: _message, ...job }: MediaJobRow): MediaJob {
  return job
}

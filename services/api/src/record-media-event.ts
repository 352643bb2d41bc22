import type { MediaEvent } from '@skipcast/contracts'
import { retagJob } from './domain/media-job.ts'
import { readTags } from './domain/tags.ts'
import type { ApiPorts } from './ports.ts'

/**
 * Writes what the role media told of its work, once however often it is told, and wakes who waits for it here. The function rejects with
 * DATABASE_UNAVAILABLE.
 */
export function mediaEventRecorder({ stores, jobs, mediaNews }: Pick<ApiPorts, 'stores' | 'jobs' | 'mediaNews'>) {
  return async (event: MediaEvent): Promise<void> => {
    if (event.event === 'artwork_made' || event.event === 'artwork_failed') return stores.channelArtwork.record(event)
    await stores.mediaJobs.record(event, { tagsOf: readTags, retagOf: (media) => retagJob(jobs, media) })
    mediaNews.tell(event.media_id)
  }
}

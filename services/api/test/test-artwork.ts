import { stamp } from '@skipcast/contracts'
import { newId } from '@skipcast/db'
import { artworkJob } from '../src/domain/media-job.ts'
import type { TestApi } from './test-api.ts'

/** Asks for artwork of a channel; resolves to the job’s id. Where no worker is, it waits for being told. */
export async function askArtwork({ stores, ports }: TestApi, channelId: string): Promise<string> {
  return (await stores.channelArtwork.ask(channelId, artworkJob(ports.jobs, { id: channelId }, 'a'.repeat(64)))).id
}

/** Tells what a worker would: that this picture was made. */
export async function tellArtwork(
  { stores, ports }: TestApi,
  told: { readonly channel_id: string; readonly job_id: string; readonly artwork: string },
): Promise<void> {
  await stores.channelArtwork.record({ ...stamp(ports.origin, Date.now(), newId()), event: 'artwork_made', ...told })
}

/** Gives a channel a picture of the media store. */
export async function giveArtwork(api: TestApi, channelId: string, artwork: string): Promise<void> {
  await tellArtwork(api, { channel_id: channelId, job_id: await askArtwork(api, channelId), artwork })
}

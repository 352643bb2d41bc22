import { readMount } from './mounts.ts'
import type { WantedChannel } from './plan.ts'

const CHANNEL_ID = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Whose places the limit of a channel is about, as the front counts them: all who ask for `/{slug}`, or `/{slug}~{channel id}`, those who bring a link to it, where nobody else
 * may hear it. So strangers can't take the places of those who are invited, nor learn from a refusal that there is such a channel.
 */
export function audienceOf({ mount, channelId, isSigned }: Pick<WantedChannel, 'mount' | 'channelId' | 'isSigned'>): string {
  return isSigned ? `${mount}~${channelId}` : mount
}

/** Whether a text is one, and nothing else: it stands in a file and in commands of the front. */
export function isAudience(text: string): boolean {
  const [mount = '', channelId, ...rest] = text.split('~')
  return readMount(mount)?.channelMount === mount && rest.length === 0 && (channelId === undefined || CHANNEL_ID.test(channelId))
}

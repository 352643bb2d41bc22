import { streamFormat, streamMode } from '@skipcast/contracts'
import type { Channel } from '@skipcast/db'
import { z } from 'zod'
import { counter, instant } from './views.ts'

/** A channel, as the API answers. */

const DAY_MS = 86_400_000

const channelState = z.enum(['on', 'off']).meta({ description: 'What is wanted. What really happens is the stream’s phase.' })

export const privacy = z.enum(['public', 'private']).meta({
  description: 'private: nobody but its owner and admins knows of it, and it is heard with a link from …/stream-url alone.',
})

export const channelBody = z
  .object({
    id: z.string(),
    owner_id: z.string(),
    name: z.string(),
    slug: z.string(),
    description: z.string(),
    genre: z.string().meta({ description: 'The names of its genres, with commas between: what Icecast is told.' }),
    genre_ids: z.array(z.int()),
    privacy,
    has_artwork: z.boolean().meta({ description: 'Then it is at GET …/artwork.' }),
    likes: counter,
    views: counter.meta({ description: 'How many looked at it, each once a day, without its owner.' }),
    max_listeners: counter.nullable().meta({ description: 'So many may hear it at once. null: no limit.' }),
    current_listeners: counter.nullable().meta({ description: 'null: not known.' }),
    state: channelState,
    mode: streamMode,
    format: streamFormat,
    bitrate_kbps: counter,
    crossfade_ms: counter,
    loudness_lufs: z.number().nullable(),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'Channel' })

export function showChannel(channel: Channel): z.output<typeof channelBody> {
  const { id, name, slug, description, genre, mode } = channel
  return {
    id,
    owner_id: channel.ownerId,
    name,
    slug,
    description,
    genre,
    genre_ids: [...channel.genreIds],
    privacy: channel.privacy,
    has_artwork: channel.artworkSha256 !== null,
    likes: channel.likes,
    views: channel.views,
    max_listeners: channel.maxListeners,
    current_listeners: channel.wanted === 'off' ? 0 : channel.listeners,
    state: channel.wanted,
    mode,
    format: channel.format,
    bitrate_kbps: channel.bitrateKbps,
    crossfade_ms: channel.crossfadeMs,
    loudness_lufs: channel.loudnessLufs,
    created_at: channel.createdAt.toISOString(),
    updated_at: channel.updatedAt.toISOString(),
  }
}

export const trashedBody = channelBody
  .extend({ deleted_at: instant, removed_at: instant.meta({ description: 'When it is removed for good, at the earliest.' }) })
  .meta({ id: 'TrashedChannel' })

export function showTrashed(channel: Channel, keptDays: number): z.output<typeof trashedBody> {
  const deletedAt = channel.deletedAt!
  const removedAt = new Date(deletedAt.getTime() + keptDays * DAY_MS)
  return { ...showChannel(channel), deleted_at: deletedAt.toISOString(), removed_at: removedAt.toISOString() }
}

import { MOST_CROSSFADE_MS, MOST_LISTENERS, streamFormat, streamMode } from '@skipcast/contracts'
import { MOST_GENRES_EACH } from '@skipcast/db'
import { z } from 'zod'
import { isSlug, slugPattern } from '../domain/slug.ts'
import { privacy } from './channel-views.ts'
import { channelParams, id, listQuery, pageQuery, text, wholeNumber } from './inputs.ts'

/** Of MPEG-1 layer III. */
const MP3_BITRATES = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] as const

/** What the API takes about channels and genres. Unknown fields are refused by name. */

const isBlank = (value: string) => value.trim() === ''
const name = text(1, 120, '1 to 120 characters').refine((value) => !isBlank(value), 'must not be blank')
const description = text(0, 2000, 'up to 2000 characters').max(2000)
const genre = text(0, 100, 'up to 100 characters')
  .refine((value) => value === '' || !isBlank(value), 'must be a name, or empty')
  .meta({ description: 'One genre by its name, in place of genre_ids; empty: none.' })
const slug = z
  .string()
  .regex(slugPattern, { error: 'must be 1 to 100 of a-z, 0-9 and dashes, and not begin with a dash', abort: true })
  .refine(isSlug, 'is reserved')

const mode = streamMode.meta({
  description:
    'copy: the files are sent as they are, at a tenth of the cost. encode: decoded, mixed and encoded again, which another format than mp3, crossfade_ms, loudness_lufs, another bitrate_kbps and the cue points of pieces need.',
})
const format = streamFormat.meta({
  description:
    'mp3, opus (in Ogg, audio/ogg) or aac (ADTS, audio/aac). All but mp3 need mode encode. A change while the channel is on ends its listeners: players connect again and get the new format.',
})
const bitrate = z.literal([...MP3_BITRATES]).meta({ description: 'In mode copy: that of the files.' })
const crossfade = z
  .int()
  .min(0)
  .max(MOST_CROSSFADE_MS)
  .meta({ description: 'How long one piece sounds together with the next, half of a piece at most. Needs mode encode.' })
const loudness = z.number().min(-40).max(-5).nullable().meta({
  description: 'Every piece is brought to this loudness (LUFS), as far as its peaks allow; null: as it is. Needs mode encode.',
})

const maxListeners = z.int().min(1).max(MOST_LISTENERS).nullable().meta({
  description:
    'So many may hear it at once; whoever comes then is told to try again later (503), and who listens stays, also where it becomes less. null: no limit.',
})

/** Of 32 bits. */
const MOST_ID = 2 ** 31 - 1
const genreId = z.int().min(1).max(MOST_ID)
const genreIds = z.array(genreId).max(MOST_GENRES_EACH)

/** Some are named, at least. */
export const someGenres = z.strictObject({ genre_ids: genreIds.min(1) })

export const genreParams = z.object({ genre: wholeNumber(1, MOST_ID).meta({ description: 'The genre’s id.' }) })

export const genreList = pageQuery.extend({ per_page: pageQuery.shape.per_page.default(100) })

export const newGenre = z.strictObject({
  name: text(1, 100, '1 to 100 characters').refine((value) => !isBlank(value), 'must not be blank'),
  slug: slug.optional().meta({ description: 'Made from the name where none is given.' }),
})

export const newChannel = z.strictObject({
  name,
  slug: slug.optional(),
  description: description.default(''),
  genre: genre.optional(),
  genre_ids: genreIds.optional(),
  privacy: privacy.default('public'),
  mode: mode.default('copy'),
  format: format.default('mp3'),
  bitrate_kbps: bitrate.optional(),
  crossfade_ms: crossfade.default(0),
  loudness_lufs: loudness.default(null),
  max_listeners: maxListeners.default(null),
})

export const channelChange = z.strictObject({
  name: name.optional(),
  description: description.optional(),
  genre: genre.optional(),
  genre_ids: genreIds.optional(),
  privacy: privacy.optional(),
  mode: mode.optional(),
  format: format.optional(),
  bitrate_kbps: bitrate.optional(),
  crossfade_ms: crossfade.optional(),
  loudness_lufs: loudness.optional(),
  max_listeners: maxListeners.optional(),
})

export const channelList = listQuery(
  ['created_at', 'updated_at', 'name', 'slug'],
  'desc',
  'name, slug, description or genre',
).extend({
  genre: text(1, 100, '1 to 100 characters').optional().meta({ description: 'The slug, name or id of one.' }),
  privacy: privacy.optional(),
})

const MOST_RESTORED = 100
/** Each once. */
export const someChannels = z.strictObject({ ids: z.array(id).min(1).max(MOST_RESTORED) })

export const trashedParams = z.object({
  trashed: z.string().min(1).max(200).meta({ description: 'The id or slug of a channel in the trash.' }),
})

export const newReview = z.strictObject({
  review: text(1, 1000, '1 to 1000 characters').refine((value) => !isBlank(value), 'must not be blank'),
})

export const reviewParams = channelParams.extend({ review: z.string().min(1).max(200).meta({ description: 'The review’s id.' }) })

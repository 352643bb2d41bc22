import { z } from 'zod'
import { isSlug, slugPattern } from '../domain/slug.ts'
import { printable } from '../domain/text.ts'

/** What the API takes. Unknown fields are refused by name. */

const text = (min: number, max: number, what: string) =>
  z.string().regex(printable(min, max), `must be ${what} on one line, without control characters`)

const name = text(1, 120, '1 to 120 characters').refine((value) => value.trim() !== '', 'must not be blank')
const description = text(0, 2000, 'up to 2000 characters').max(2000)
const genre = text(0, 100, 'up to 100 characters')
const slug = z
  .string()
  .regex(slugPattern, 'must be 1 to 100 of a-z, 0-9 and dashes, and not begin with a dash')
  .refine(isSlug, 'is reserved')

export const newChannel = z.strictObject({
  name,
  slug: slug.optional(),
  description: description.default(''),
  genre: genre.default(''),
})

export const channelChange = z.strictObject({
  name: name.optional(),
  description: description.optional(),
  genre: genre.optional(),
})

export const mediaIds = z.strictObject({
  media_ids: z
    .array(z.string().regex(/^[0-9a-f-]{36}$/, 'must be an id'))
    .min(1)
    .max(500),
})

export const channelParams = z.object({
  channel: z.string().min(1).max(200).meta({ description: 'The channel’s id or slug.' }),
})

export const mediaParams = z.object({ media: z.string().min(1).max(200) })

export const pageQuery = z.strictObject({
  page: z.coerce.number().int().min(1).max(100_000).default(1).meta({ description: 'From 1.' }),
  per_page: z.coerce.number().int().min(1).max(100).default(15),
})

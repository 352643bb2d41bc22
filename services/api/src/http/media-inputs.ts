import { mediaFormat } from '@skipcast/contracts'
import { z } from 'zod'
import { id, listQuery, text } from './inputs.ts'

const position = z.int().min(0)
const tag = (what: string) => text(0, 200, 'up to 200 characters').optional().meta({ description: what })

export const mediaChange = z.strictObject({
  title: text(1, 200, '1 to 200 characters').optional(),
  artist: tag('Who plays it.'),
  album: tag('Where it is from.'),
  year: z
    .string()
    .regex(/^([0-9]{4})?$/, 'must be a year of four digits, or empty')
    .optional(),
  track: z.int().min(0).max(9999).nullable().optional().meta({ description: 'Its number on the album.' }),
  public: z.enum(['public', 'private']).optional().meta({
    description: 'public: anybody with an account may read and attach it. Whoever has it on a playlist keeps it there.',
  }),
  downloadable: z.enum(['yes', 'no']).optional().meta({ description: 'Whether others who may read it may have its file.' }),
  cue_in_ms: position.optional().meta({ description: 'Where it is heard from, in mode encode.' }),
  cue_out_ms: position.nullable().optional().meta({ description: 'Where it is heard to, in mode encode. null: its end.' }),
})

export const mediaList = listQuery(
  ['created_at', 'title', 'artist', 'duration_ms'],
  'desc',
  'title, artist or album; of one’s own, also the name of the file',
)
  .extend({
    of: z
      .enum(['mine', 'public'])
      .default('mine')
      .meta({ description: 'mine: for an admin, everybody’s. public: what all may attach.' }),
    state: z.enum(['processing', 'ready', 'failed']).optional(),
    kind: z.enum(['audio', 'video']).optional(),
  })
  .refine(({ of, state }) => of === 'mine' || state === undefined || state === 'ready', {
    error: 'must be ready, or absent: no others are public',
    path: ['state'],
  })

export const conversion = z.strictObject({ format: mediaFormat })

export const trim = z
  .strictObject({
    from_ms: position.default(0).meta({ description: 'Where it begins.' }),
    to_ms: position.optional().meta({ description: 'Where it ends. Absent: its end.' }),
  })
  .refine(({ from_ms, to_ms }) => to_ms === undefined || to_ms > from_ms, { error: 'must be after from_ms', path: ['to_ms'] })

export const someMedia = z.strictObject({ ids: z.array(id).min(1).max(100) })
export const someChannelIds = z.strictObject({ channel_ids: z.array(id).min(1).max(100) })

export const trashedPieceParams = z.object({
  trashedPiece: z.string().min(1).max(200).meta({ description: 'The id of a piece in the trash.' }),
})

import type { User } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import { z } from 'zod'
import { reachOf } from '../domain/roles.ts'
import type { ApiPorts } from '../ports.ts'
import type { App } from './app-type.ts'
import { listQuery, toListRequest } from './inputs.ts'
import { someMedia, trashedPieceParams } from './media-inputs.ts'
import { mediaBody, showTrashedPiece, showMedia, trashedPieceBody } from './media-views.ts'
import { pageBody, showPage } from './views.ts'

const tags = ['trash']
const config = { access: 'media:delete' } as const
const trashList = listQuery(['created_at', 'title', 'artist'], 'desc', 'title, artist, album or name of the file')

/** Pieces that were deleted, until they go for good. */
export function mediaTrashRoutes(app: App, { stores, settings }: ApiPorts): void {
  const ownerOf = (actor: User) => (reachOf(actor.role, config.access) === 'any' ? null : actor.id)

  app.get('/api/media/trash/view', {
    config,
    schema: {
      tags,
      summary: 'List the pieces in the trash',
      description: 'Your own; an admin sees everybody’s.',
      querystring: trashList,
      response: { 200: pageBody(trashedPieceBody) },
    },
    async handler({ actor, sight, query }) {
      const filter = { ownerId: ownerOf(actor), isTrashed: true }
      const found = await stores.media.list(filter, toListRequest(query))
      return showPage(found, query, (piece) => showTrashedPiece(piece, sight, settings.trashDays))
    },
  })

  app.get('/api/media/trash/view/:trashedPiece', {
    config,
    schema: {
      tags,
      summary: 'Read a piece in the trash',
      params: trashedPieceParams,
      response: { 200: z.object({ data: trashedPieceBody }) },
    },
    handler: async ({ trashedPiece, sight }) => ({ data: showTrashedPiece(trashedPiece, sight, settings.trashDays) }),
  })

  app.delete('/api/media/trash/view/:trashedPiece', {
    config,
    schema: {
      tags,
      summary: 'Delete a piece for good',
      description: 'It counts to the quota no more, and can not be had back.',
      params: trashedPieceParams,
      response: { 204: z.undefined().describe('It is gone') },
    },
    async handler({ trashedPiece }, reply) {
      if (!(await stores.mediaTrash.remove(trashedPiece.id)))
        throw new AppError('NOT_FOUND', 'It was taken out of the trash a moment ago.')
      return reply.code(204).send()
    },
  })

  app.post('/api/media/trash/restore', {
    config,
    schema: {
      tags,
      summary: 'Take pieces out of the trash',
      description:
        'Each comes back to its place in the playlists that had it. `failed` are the ids of those that are not in your trash.',
      body: someMedia,
      response: { 200: z.object({ message: z.string(), restored: z.array(mediaBody), failed: z.array(z.string()) }) },
    },
    async handler({ actor, sight, body }) {
      const restored = await stores.mediaTrash.restore(body.ids, ownerOf(actor))
      const found = new Set(restored.map(({ id }) => id))
      return {
        message: `${restored.length} of ${new Set(body.ids).size} media restored`,
        restored: restored.map((media) => showMedia(media, sight)),
        failed: [...new Set(body.ids)].filter((id) => !found.has(id)),
      }
    },
  })
}

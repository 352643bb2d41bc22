import type { MediaUsage } from '@skipcast/db'
import { z } from 'zod'
import type { ApiPorts } from '../ports.ts'
import { userParams } from './account-inputs.ts'
import type { App } from './app-type.ts'

const bytes = z.int().min(0)

const usageBody = z
  .object({
    used_bytes: bytes.meta({ description: 'Of all pieces, those in the trash too.' }),
    pending_bytes: bytes.meta({ description: 'Announced by uploads that are not finished, and pictures of the last day.' }),
    allowed_bytes: bytes.nullable().meta({ description: 'null: no limit.' }),
  })
  .meta({ id: 'MediaUsage' })

const quotaChange = z.strictObject({
  media_quota_bytes: bytes.nullable().meta({ description: 'null: as the installation says (`MEDIA_QUOTA_BYTES`); 0: no limit.' }),
})

/** What the media of users take, and may. */
export function usageRoutes(app: App, { stores, settings }: ApiPorts): void {
  const usageOf = async (userId: string) => showUsage(await stores.uploads.usageOf(userId, settings.mediaQuotaBytes))

  app.get('/api/media/usage', {
    config: { access: 'media:read' },
    schema: { tags: ['media'], summary: 'What your media take, and may', response: { 200: usageBody } },
    handler: ({ actor }) => usageOf(actor.id),
  })

  app.patch('/api/users/:user/quota', {
    config: { access: 'users:change' },
    schema: {
      tags: ['accounts'],
      summary: 'Say how much a user’s media may take',
      description: 'What they have already stays, also where it is more.',
      params: userParams,
      body: quotaChange,
      response: { 200: usageBody },
    },
    async handler({ params, body }) {
      await stores.uploads.setQuota(params.user, body.media_quota_bytes)
      return usageOf(params.user)
    },
  })
}

function showUsage({ usedBytes, pendingBytes, allowedBytes }: MediaUsage): z.input<typeof usageBody> {
  return { used_bytes: usedBytes, pending_bytes: pendingBytes, allowed_bytes: allowedBytes }
}

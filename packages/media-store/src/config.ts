import { join, resolve } from 'node:path'
import { z } from 'zod'

/** The variables of whoever reads or writes media; they go into the schema of a role. */
export const mediaStoreVariables = {
  MEDIA_PATH: z.string().max(1000).optional(),
}

type Variables = z.output<z.ZodObject<typeof mediaStoreVariables>>

export interface MediaStoreConfig {
  /** Absent: `media` in the home. */
  readonly path: string | undefined
}

/** The same as an object of its own. */
export function mediaStoreConfig(flat: Variables): MediaStoreConfig {
  return { path: flat.MEDIA_PATH }
}

/** The folder of this machine where media are kept, or come in. */
export function mediaPath(config: MediaStoreConfig, home: { readonly path: string }): string {
  return resolve(config.path ?? join(home.path, 'media'))
}

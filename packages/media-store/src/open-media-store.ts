import { folderStore } from './adapters/folder.ts'
import { mediaPath, type MediaStoreConfig } from './config.ts'
import type { MediaStore } from './media-store.ts'

/** The media store that the environment names. It is asked nothing before it is used. Only who has a bucket loads the library for it (75 MB). */
export async function openMediaStore(config: MediaStoreConfig, home: { readonly path: string }): Promise<MediaStore> {
  if (!config.s3) return folderStore(mediaPath(config, home))
  const { s3Store } = await import('./adapters/s3.ts')
  return s3Store(config.s3)
}

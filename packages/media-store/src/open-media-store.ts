import { folderStore } from './adapters/folder.ts'
import { s3Store } from './adapters/s3.ts'
import { mediaPath, type MediaStoreConfig } from './config.ts'
import type { MediaStore } from './media-store.ts'

/** The media store that the environment names. It is asked nothing before it is used. */
export function openMediaStore(config: MediaStoreConfig, home: { readonly path: string }): MediaStore {
  return config.s3 ? s3Store(config.s3) : folderStore(mediaPath(config, home))
}

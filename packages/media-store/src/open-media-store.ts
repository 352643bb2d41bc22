import { folderStore } from './adapters/folder.ts'
import { mediaPath, type MediaStoreConfig } from './config.ts'
import type { MediaStore } from './media-store.ts'

/** The media store that the environment names. */
export function openMediaStore(config: MediaStoreConfig, home: { readonly path: string }): MediaStore {
  return folderStore(mediaPath(config, home))
}

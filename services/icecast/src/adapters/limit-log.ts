import { copyFile, stat, truncate } from 'node:fs/promises'

/**
 * Keeps a log that another process appends to below about `maxBytes`, with the one before it beside it (`.old`). That process needs no
 * signal and no new descriptor: it opened the file to append, so it goes on at the new end. Lines that it writes in this very moment are lost.
 */
export async function limitLog(file: string, maxBytes: number): Promise<void> {
  const { size } = await stat(file)
  if (size <= maxBytes) return
  await copyFile(file, `${file}.old`)
  await truncate(file, 0)
}

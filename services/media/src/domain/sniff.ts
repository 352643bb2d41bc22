/** What the first bytes of a file look like. */
export type Looks = 'picture' | 'playlist' | 'unknown'

/** How much of a file is looked at. */
export const SNIFFED_BYTES = 4096

/** Texts that name other files or addresses, by what they begin with or hold near their beginning. */
const PLAYLISTS = [
  /^#EXTM3U/i,
  /^ffconcat\b/,
  /^\[playlist\]/i,
  /^\[Reference\]/i,
  /<MPD[\s>]/,
  /<SmoothStreamingMedia[\s>]/,
  /<asx[\s>]/i,
  /<playlist[\s>]/i,
  /^\s*(https?|rtmp|rtsp|file):\/\/\S+\s/i,
]

/**
 * Tells pictures and playlists from the rest, for a better answer than "can not be read". Nothing is safe because of it: what a program opens is limited
 * where it is started.
 */
export function looksLike(head: Buffer): Looks {
  if (pictureType(head) !== null) return 'picture'
  const text = head.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  return PLAYLISTS.some((pattern) => pattern.test(text)) ? 'playlist' : 'unknown'
}

export type PictureType = 'png' | 'jpeg' | 'gif' | 'webp'

/** By its magic bytes; null: none of those that a cover may be. */
export function pictureType(head: Buffer): PictureType | null {
  if (head.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))) return 'png'
  if (head.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) return 'jpeg'
  if (/^GIF8[79]a/.test(head.toString('latin1', 0, 6))) return 'gif'
  return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP' ? 'webp' : null
}

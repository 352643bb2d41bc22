import { readFile, stat } from 'node:fs/promises'
import { AppError } from '@skipcast/runtime'
import { pictureSize } from '../../domain/picture-size.ts'
import { pictureType, type PictureType } from '../../domain/sniff.ts'
import { CONFINED, CONFINED_PICTURE, QUIET, type Run } from './confined.ts'

const PICTURE_TIMEOUT_MS = 30_000
/** What a file may carry as its picture; people upload less. */
const MOST_PICTURE_BYTES = 10 * 1024 ** 2
const MOST_SIDE = 10_000
/** Decoded, a pixel takes 4 bytes: 160 MB. */
const MOST_PIXELS = 40_000_000
/** The longer side of a cover. */
const COVER_SIDE = 1000

const DEMUXERS: Readonly<Record<PictureType, string>> = { png: 'png_pipe', jpeg: 'jpeg_pipe', gif: 'gif', webp: 'webp_pipe' }

/** The bytes of one picture stream, as they are; see `MediaTools`. */
export async function extractPicture(run: Run, from: string, stream: number, to: string): Promise<void> {
  const copy = ['-map', `0:${stream}`, '-c', 'copy', '-frames:v', '1', '-fs', `${MOST_PICTURE_BYTES}`, '-f', 'image2pipe']
  await run('ffmpeg', [...QUIET, ...CONFINED, '-i', `file:${from}`, ...copy, `file:${to}`], {
    timeoutMs: PICTURE_TIMEOUT_MS,
    refusal: 'The picture in this file can not be read.',
  })
}

/** A small JPEG of a picture; see `MediaTools`. Its size is read before anything is decoded. */
export async function toCover(run: Run, from: string, to: string): Promise<void> {
  if ((await stat(from)).size > MOST_PICTURE_BYTES) throw new AppError('UNPROCESSABLE', 'This picture has too many bytes.')
  const file = await readFile(from)
  const type = pictureType(file)
  if (!type) throw new AppError('UNPROCESSABLE', 'This is no picture. A cover is a PNG, JPEG, WebP or GIF.')
  const size = pictureSize(file)
  if (!size || size.width === 0 || size.height === 0)
    throw new AppError('UNPROCESSABLE', 'This picture does not say how large it is.')
  if (Math.max(size.width, size.height) > MOST_SIDE || size.width * size.height > MOST_PIXELS)
    throw new AppError(
      'UNPROCESSABLE',
      `This picture has ${size.width} × ${size.height} pixels; it may have up to ${MOST_SIDE} on a side and ${MOST_PIXELS} in all.`,
    )
  const side = `min(${COVER_SIDE},max(iw,ih))`
  const scale = `scale='${side}':'${side}':force_original_aspect_ratio=decrease:force_divisible_by=2,format=yuvj420p`
  const input = [...CONFINED_PICTURE, '-max_pixels', `${MOST_PIXELS}`, '-f', DEMUXERS[type], '-i', `file:${from}`]
  const output = [
    '-map',
    '0:v:0',
    '-frames:v',
    '1',
    '-map_metadata',
    '-1',
    '-vf',
    scale,
    '-threads',
    '1',
    '-q:v',
    '3',
    '-f',
    'mjpeg',
  ]
  await run('ffmpeg', [...QUIET, ...input, ...output, `file:${to}`], {
    timeoutMs: PICTURE_TIMEOUT_MS,
    refusal: 'This picture can not be decoded.',
  })
  if ((await stat(to)).size === 0) throw new AppError('UNPROCESSABLE', 'This picture can not be decoded.')
}

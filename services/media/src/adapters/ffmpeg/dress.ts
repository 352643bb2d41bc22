import { AppError } from '@skipcast/runtime'
import { ENCODERS, muxerOf } from '../../domain/file-facts.ts'
import type { Derivation, Dress, Probe } from '../../ports.ts'
import { CONFINED, CONFINED_PICTURE, progressReader, QUIET, TELLING, type Run } from './confined.ts'
import { MAX_DURATION_MS } from './probe.ts'

const COPY_TIMEOUT_MS = 30 * 60_000
const DERIVE_TIMEOUT_MS = 2 * 3_600_000

/** Writes a file again with other tags; see `MediaTools`. */
export async function retag(
  run: Run,
  from: string,
  to: string,
  file: Pick<Probe, 'container' | 'kind'>,
  dress: Dress,
): Promise<void> {
  const muxer = muxerOf(file.container, file.kind)
  if (!muxer)
    throw new AppError('UNPROCESSABLE', 'Files of this format hold no tags. The piece has its new ones, its file stays as it is.')
  const picture = pictureOf(dress, muxer.holdsPicture)
  const streams = file.kind === 'video' ? ['-map', '0:v:0', '-map', '0:a:0'] : ['-map', '0:a:0']
  await run(
    'ffmpeg',
    [
      ...QUIET,
      ...CONFINED,
      '-i',
      `file:${from}`,
      ...picture.input,
      ...streams,
      ...picture.output,
      '-c',
      'copy',
      ...tagged(dress),
      '-f',
      muxer.name,
      `file:${to}`,
    ],
    { timeoutMs: COPY_TIMEOUT_MS, refusal: 'The tags can not be written into this file.' },
  )
}

/** Cuts and converts the sound of a file; see `MediaTools`. */
export async function derive(
  run: Run,
  from: string,
  to: string,
  wish: Derivation,
  onProgress: (madeMs: number) => void,
): Promise<void> {
  const { codec, container } = ENCODERS[wish.format]
  const muxer = muxerOf(container, 'audio')!
  const picture = pictureOf(wish, muxer.holdsPicture)
  const lengthMs = Math.min(MAX_DURATION_MS, (wish.toMs ?? MAX_DURATION_MS) - (wish.fromMs ?? 0))
  const cut = [...(wish.fromMs === null ? [] : ['-ss', seconds(wish.fromMs)]), '-t', seconds(lengthMs)]
  await run(
    'ffmpeg',
    [
      ...QUIET,
      ...TELLING,
      ...CONFINED,
      ...cut,
      '-i',
      `file:${from}`,
      ...picture.input,
      '-map',
      '0:a:0',
      ...codec,
      ...picture.output,
      ...tagged(wish),
      '-threads',
      '1',
      '-f',
      muxer.name,
      `file:${to}`,
    ],
    {
      timeoutMs: DERIVE_TIMEOUT_MS,
      refusal: 'The sound of this piece can not be made into such a file.',
      onOutput: progressReader(onProgress),
    },
  )
}

function pictureOf({ coverPath }: Dress, holdsPicture: boolean): { input: string[]; output: string[] } {
  if (coverPath === null || !holdsPicture) return { input: [], output: [] }
  return {
    input: [...CONFINED_PICTURE, '-f', 'jpeg_pipe', '-i', `file:${coverPath}`],
    output: ['-map', '1:v:0', '-c:v', 'copy', '-disposition:v:0', 'attached_pic'],
  }
}

/** Of what the file had before nothing stays. Each tag is one argument, whatever stands in it. */
function tagged({ tags }: Dress): string[] {
  const { title, artist, album, genre, year, track } = tags
  const all = { title, artist, album, genre, date: year, track: track === null ? '' : `${track}` }
  const given = Object.entries(all).filter(([, value]) => value !== '')
  const values = given.flatMap(([name, value]) => ['-metadata', `${name}=${value}`])
  return ['-map_metadata', '-1', '-map_chapters', '-1', '-id3v2_version', '3', ...values]
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '@skipcast/runtime'
import type { ClientChannel } from 'ssh2'
import type { SshLink } from './ssh-link.ts'

/** A file of which nothing moved for so long. */
const STALLED_MS = 30_000
const MAX_ANSWER_BYTES = 1000
/** The host says so at each piece that arrived. */
const PIECE_BYTES = 64 * 1024
/** No more of a file is on its way: what is asked of the host meanwhile waits behind it. */
const MAX_UNSEEN_BYTES = 4 * PIECE_BYTES

export interface PutFile {
  readonly kind: 'media' | 'script'
  readonly sha256: string
  readonly sizeBytes: number
  /** So much of the machine's disk stays free. */
  readonly reserveBytes: number
  readonly content: Readable
}

/**
 * Puts a file on the machine under its hash; nobody sees it there before it is whole. One that is there already is sent no second time.
 * `onProgress` gets the bytes that have arrived. Rejects with NO_SPACE, MEDIA_MISSING (it is not what its hash says, or shorter than it should be)
 * or HOST_UNREACHABLE.
 */
export async function putFile(
  link: Pick<SshLink, 'open'>,
  file: PutFile,
  onProgress: (arrivedBytes: number) => void,
): Promise<void> {
  try {
    const channel = await link.open('put')
    const host = listen(channel)
    await pipeline(pieces(file, host, onProgress), channel).catch(() => {}) // the host says why
    await host.closed
    accept(host.answer(), file)
  } finally {
    file.content.destroy()
  }
}

async function* pieces(file: PutFile, host: Listening, onProgress: (arrivedBytes: number) => void): AsyncGenerator<Buffer> {
  yield Buffer.from(`${file.kind} ${file.sha256} ${file.sizeBytes} ${file.reserveBytes}\n`, 'latin1')
  let sentBytes = 0
  for await (const piece of file.content as AsyncIterable<Buffer>) {
    while (!host.hasAnswered() && sentBytes - host.arrivedBytes() > MAX_UNSEEN_BYTES) await host.news()
    if (host.hasAnswered()) return // it is there already, or there is no room
    sentBytes += piece.length
    onProgress(host.arrivedBytes())
    yield piece
  }
}

/** What the host says of a file while it comes. */
interface Listening {
  readonly closed: Promise<unknown>
  arrivedBytes(): number
  /** True also when nothing more will be said. */
  hasAnswered(): boolean
  /** In a word; where there was none, what it said went wrong. */
  answer(): string
  /** Resolves when it says something, or has ended. */
  news(): Promise<unknown>
}

function listen(channel: ClientChannel): Listening {
  let said = ''
  let errors = ''
  let arrivedBytes = 0
  let isClosed = false
  const stalled = setTimeout(() => channel.destroy(), STALLED_MS)
  channel.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1')
    const words = text.replaceAll('.', '')
    arrivedBytes += (text.length - words.length) * PIECE_BYTES
    said = (said + words).slice(0, MAX_ANSWER_BYTES)
    stalled.refresh()
  })
  channel.stderr.on('data', (bytes: Buffer) => (errors = (errors + bytes.toString('utf8')).slice(0, MAX_ANSWER_BYTES)))
  channel.on('error', () => channel.destroy())
  const closed = new Promise<void>((resolve) => {
    channel.once('close', () => {
      isClosed = true
      clearTimeout(stalled)
      resolve()
    })
  })
  return {
    closed,
    arrivedBytes: () => arrivedBytes,
    hasAnswered: () => isClosed || said !== '',
    answer: () => said.trim() || errors.trim() || 'the connection ended',
    news: () => Promise.race([once(channel, 'data').catch(() => {}), closed]),
  }
}

function accept(answer: string, { sha256 }: PutFile): void {
  const name = `${sha256.slice(0, 12)}…`
  if (answer === 'ok') return
  if (answer === 'space') throw new AppError('NO_SPACE', 'There is no space for another file on this host')
  if (answer === 'hash' || answer === 'short')
    throw new AppError('MEDIA_MISSING', `The stored file ${name} is damaged; upload the track again`)
  if (answer === 'large') throw new AppError('MEDIA_MISSING', `The file ${name} is larger than a host takes (2 GiB)`)
  throw new AppError('HOST_UNREACHABLE', `The file ${name} did not get to the host: ${answer}`)
}

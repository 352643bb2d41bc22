import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Neither a byte went nor came for so long; analysing a long piece takes the server a while. */
const SILENCE_LIMIT_MS = 10 * 60_000
const MAX_ANSWER_BYTES = 1024 * 1024

/** How much of a file the network has taken. */
export interface UploadProgress {
  readonly sentBytes: number
  readonly totalBytes: number
}

/**
 * Sends one file as `multipart/form-data`, reading it as fast as the network takes it, and resolves with the answer whatever its status:
 * a server that refuses need not take the whole file. Rejects with the failure of the file system or of the network.
 */
export async function uploadFile(
  url: URL,
  options: {
    field: string
    file: string
    headers: Readonly<Record<string, string>>
    onProgress: (progress: UploadProgress) => void
  },
): Promise<{ status: number; text: string }> {
  await using file = await open(options.file, 'r')
  const totalBytes = (await file.stat()).size
  const boundary = `skipcast-${randomUUID()}`
  const disposition = `form-data; name="${options.field}"; filename="${quotable(basename(options.file))}"`
  const head = `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`

  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    method: 'POST',
    timeout: SILENCE_LIMIT_MS,
    headers: {
      ...options.headers,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': Buffer.byteLength(head) + totalBytes + Buffer.byteLength(tail),
    },
  })
  request.once('timeout', () => request.destroy(new Error(`nothing moved for ${SILENCE_LIMIT_MS} ms`)))
  const answered = new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject))

  async function* body() {
    yield Buffer.from(head)
    let sentBytes = 0
    options.onProgress({ sentBytes, totalBytes })
    if (totalBytes > 0) {
      // A file that grows meanwhile is sent as long as it was.
      for await (const chunk of file.createReadStream({ autoClose: false, start: 0, end: totalBytes - 1 })) {
        yield chunk as Buffer
        options.onProgress({ sentBytes: (sentBytes += (chunk as Buffer).length), totalBytes })
      }
    }
    yield Buffer.from(tail)
  }
  const sent = pipeline(Readable.from(body()), request)
  sent.catch(() => {}) // a server that has answered early hangs up: the answer counts, and tells why
  const answer = await Promise.race([answered, sent.then(() => answered)])
  const text = await readText(answer)
  request.destroy()
  await sent.catch(() => {})
  return { status: answer.statusCode ?? 0, text }
}

/** As browsers write a file name into the header of a part (WHATWG: multipart/form-data encoding). */
function quotable(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

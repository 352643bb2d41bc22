import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '@skipcast/runtime'
import type { TemporaryHome } from '@skipcast/testing'
import type { Answer, TestApi } from './test-api.ts'

/** A picture of 1200 × 1200, in the format of this file name ending. */
export async function picture(home: TemporaryHome, ending: string): Promise<Blob> {
  const path = join(home.path, `picture.${ending}`)
  await runCommand('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=s=1200x1200:d=1', '-frames:v', '1', path], {
    timeoutMs: 20_000,
  })
  return new Blob([new Uint8Array(await readFile(path))])
}

/** Uploads it by a form, under a file name that means harm. */
export async function putPicture(api: TestApi, token: string, path: string, image: Blob, field: string): Promise<Answer> {
  const form = new FormData()
  form.set(field, image, '../../cover.svg')
  const encoded = new Response(form)
  const headers = { 'content-type': encoded.headers.get('content-type')! }
  return api.call('PUT', path, { token, headers, body: Buffer.from(await encoded.arrayBuffer()) })
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { S3Server } from '@skipcast/media-store/testing'

const SERVER = fileURLToPath(new URL('bare-s3-server.ts', import.meta.url))

/** A process that puts what it is sent into S3, and does nothing else: `bare-s3-server.ts`. */
export async function bareS3(
  config: S3Server['config'],
): Promise<AsyncDisposable & { readonly pid: number; readonly url: string }> {
  const child = spawn(process.execPath, [SERVER], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(config))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${Number(line.toString())}/`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { temporaryHome, toneFile, type TemporaryHome, type ToneFileOptions } from '@skipcast/testing'
import { testApi, type TestApi } from './test-api.ts'

/** An API of the test file's own, a DJ who uploads, and files to upload. Call it once, at the top. */
export function testUploads() {
  let api: TestApi
  let home: TemporaryHome
  let token: string
  let made = 0

  beforeAll(async () => {
    api = await testApi()
    home = await temporaryHome()
    token = (await api.user('dj')).token
  }, 60_000)
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
  })

  return {
    get api() {
      return api
    },
    get home() {
      return home
    },
    get token() {
      return token
    },
    /** Uploads by the DJ, and waits for the import unless told otherwise. */
    upload: (file: Buffer, fileName?: string, field?: string, prefer?: string) =>
      api.upload(token, file, fileName, field, prefer),
    /** Two seconds of 440 Hz, unless told otherwise: each time the same bytes for the same options. */
    tone: async (ending: string, options: Partial<ToneFileOptions> = {}): Promise<Buffer> =>
      readFile(await toneFile(join(home.path, `tone-${made++}.${ending}`), { frequencyHz: 440, seconds: 2, ...options })),
    /** The paths of all that the API keeps. */
    stored: async (): Promise<string[]> => {
      const entries = await readdir(api.mediaPath, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    },
  }
}

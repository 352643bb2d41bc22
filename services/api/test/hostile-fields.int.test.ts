import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mediaKinds } from '@skipcast/media-store'
import { hostileStrings } from '@skipcast/testing'
import { bodyExamples } from '../src/http/postman-text.ts'
import { openApiDocument } from '../src/http/open-api-text.ts'
import { SOME_FILE, somebody, type Somebody } from './access-world.ts'
import { testApi, type Answer, type TestApi } from './test-api.ts'

/** Each field of each route gets so many of them, the next the ones that follow. The suites beside this one put more into those whose texts go further. */
const EACH = 12
const COUNT = 500
const ODD_NUMBERS: readonly unknown[] = [-1, 0.5, 2 ** 31, 2 ** 53, 1e308, '1', null, [], {}]
const canary = join(tmpdir(), `skipcast-canary-fields-${process.pid}`)
/** These are other paths: whoever asks leaves them out. */
const NO_NAMES = new Set(['', '.', '..'])
const strings = hostileStrings(23, COUNT, canary)
let taken = 0
const someStrings = () => Array.from({ length: EACH }, () => strings[taken++ % COUNT]!)
const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head'] as const
/** Where 401 is what somebody is told who is not known. */
const BY_PASSWORD = /^\/api\/(login|account)/

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
}
interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  /** Of JSON. */
  readonly fields: Readonly<Record<string, Schema>>
  /** The field of a form that takes a file. */
  readonly file: string | null
}

let api: TestApi
let admin: Somebody
let operations: readonly Operation[]
let made = 0

beforeAll(async () => {
  api = await testApi()
  admin = await somebody(api, 'admin')
  for (const kind of mediaKinds) {
    const file = join(dirname(api.mediaPath), kind)
    await writeFile(file, '"music"')
    await api.ports.mediaStore.put({ kind, sha256: SOME_FILE }, file)
  }
  operations = await readOperations()
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

test('A1, A5, A11: each field of each route keeps what is written into it as text, or refuses it', async () => {
  const asked = new Set<string>()
  for (const operation of operations) {
    for (const parameter of operation.parameters)
      for (const text of ['\0', ...someStrings()]) {
        if (parameter.in === 'path' && NO_NAMES.has(text)) continue
        await ask(operation, { [parameter.in]: { [parameter.name]: text } })
        asked.add(`${operation.method} ${operation.path} ${parameter.in} ${parameter.name}`)
      }
    for (const [field, schema] of Object.entries(operation.fields)) {
      for (const value of valuesFor(schema)) {
        const { status, body } = await ask(operation, { body: { ...exampleOf(operation), [field]: value } })
        if (status < 300 && typeof value === 'string') expect(keptAs(body, field)).toEqual([value])
      }
      asked.add(`${operation.method} ${operation.path} body ${field}`)
    }
    if (operation.file !== null) for (const text of someStrings()) await ask(operation, { file: [operation.file, text] })
  }
  expect(asked.size).toBeGreaterThan(200)
  const { channel, media, trashed } = admin.objects
  const left = ['/account', `/channels/${channel}`, `/media/${media}`, `/channels/trash/view/${trashed}`] // or much was asked of nothing
  for (const path of left)
    expect([path, (await api.call('GET', `/api${path}`, { token: admin.session })).status]).toEqual([path, 200])
  expect(existsSync(canary)).toBe(false)
}, 180_000)

interface Given {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly header?: Readonly<Record<string, string>>
  readonly body?: object
  readonly file?: readonly [field: string, fileName: string]
}

/** Nothing is a 5xx, nobody is taken for somebody else, every refusal has the one shape, and no answer shows where it was made. */
async function ask({ method, path, fields }: Operation, given: Given): Promise<Answer> {
  const named = { ...admin.objects, ...given.path }
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(named[name]!.toWellFormed()))
  const query = new URLSearchParams(given.query).toString()
  const headers = Object.entries(given.header ?? {}).map(([name, text]) => [name, text.replaceAll(/[^\x20-\x7e]/g, '?')])
  const form = given.file && (await formOf(...given.file))
  const body = given.body ?? (Object.keys(fields).length > 0 ? exampleOf({ method, path }) : undefined)
  const answer = await api.call(method, `${filled}${query && `?${query}`}`, {
    token: admin.session,
    headers: { ...Object.fromEntries(headers), ...form?.headers },
    ...(form ? { body: form.body } : body && { body }),
  })
  const isShaped = answer.status < 400 || answer.text === '' || typeof answer.body.message === 'string'
  const mayBeUnknown = BY_PASSWORD.test(path)
  const { status, text } = answer
  const isOurs = status < 500 && (status !== 401 || mayBeUnknown) && isShaped && !text.includes('node_modules')
  expect({ method, path, given, isOurs, ...(!isOurs && { status, text }) }).toEqual({ method, path, given, isOurs: true })
  return answer
}

/** What the API's own collection sends there, with real objects. */
function exampleOf({ method, path }: Pick<Operation, 'method' | 'path'>): object {
  const text = JSON.stringify(bodyExamples[`${method} ${path}`] ?? {})
  return JSON.parse(
    text.replaceAll(/\{\{\$?(\w+)\}\}/g, (_, name: string) => admin.objects[name] ?? `${name}-${made++}`),
  ) as object
}

function valuesFor(schema: Schema): readonly unknown[] {
  const texts = someStrings()
  const types = [schema, ...(schema.anyOf ?? [])].flatMap(({ type = [] }) => type)
  if (types.includes('array')) return [...texts.map((text) => [text]), ...ODD_NUMBERS.map((odd) => [odd])]
  if (types.includes('object')) return texts.flatMap((text) => [{ [text]: 'x' }, { x: text }])
  if (types.includes('number') || types.includes('integer')) return [...ODD_NUMBERS, ...texts]
  return [...texts, 5, null, {}]
}

/** What an answer has in the fields of this name, as far as these are text. */
function keptAs(body: unknown, field: string): string[] {
  if (typeof body !== 'object' || body === null) return []
  return Object.entries(body).flatMap(([name, value]) =>
    name === field && typeof value === 'string' ? [value] : keptAs(value, field),
  )
}

async function formOf(field: string, fileName: string) {
  const form = new FormData()
  form.set(field, new Blob(['no music']), fileName.toWellFormed())
  const encoded = new Response(form)
  return {
    headers: { 'content-type': encoded.headers.get('content-type')! },
    body: Buffer.from(await encoded.arrayBuffer()),
  }
}

async function readOperations(): Promise<Operation[]> {
  const { paths = {} } = await openApiDocument()
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = (
        item as Record<string, Pick<Operation, 'parameters'> & { requestBody?: { content: Record<string, { schema: Schema }> } }>
      )[method]
      if (!operation) return []
      const content = operation.requestBody?.content ?? {}
      return {
        method: method.toUpperCase(),
        path,
        parameters: operation.parameters ?? [],
        fields: content['application/json']?.schema.properties ?? {},
        file: Object.keys(content['multipart/form-data']?.schema.properties ?? {})[0] ?? null,
      }
    }),
  )
}

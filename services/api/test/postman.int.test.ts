import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCommand } from '@skipcast/runtime'
import { temporaryHome, toneFile, type TemporaryHome } from '@skipcast/testing'
import { musicRecord, testApi, type TestApi } from './test-api.ts'
import { PASSWORD, registered, session, tokenTo, totp } from './test-people.ts'

interface Item {
  readonly name: string
  readonly item?: readonly Item[]
  readonly request?: {
    readonly method: string
    readonly url: { readonly raw: string; readonly query?: readonly { key: string; disabled: boolean }[] }
    readonly auth?: { readonly type: string; readonly bearer?: readonly { readonly value: string }[] }
    readonly body?: { readonly mode: string; readonly raw?: string }
  }
}

const path = new URL('../../../deploy/postman-collection.json', import.meta.url)
const collection = JSON.parse(await readFile(path, 'utf8')) as Item & { variable: { key: string }[] }
const requests = collection.item!.flatMap(({ item = [] }) => item).map(({ name, request }) => ({ name, ...request! }))

/** What leads to a provider, what only a provider can call, and what this piece has not. */
const ELSEWHERE: Record<string, number> = {
  'Log in by a provider': 3,
  'Where the provider leads back to': 4,
  'See the artwork of a channel': 4, // it has none
}

let api: TestApi
let home: TemporaryHome
let url: string
let token: string
let file: Blob
/** A piece that channels play whose requests name none. */
let played: string

beforeAll(async () => {
  api = await testApi({}, undefined, { providers: { google: { clientId: 'x', clientSecret: 'y' } } })
  home = await temporaryHome()
  await api.startWorker()
  url = await api.app.listen({ host: '127.0.0.1', port: 0 })
  token = (await api.user('admin')).token
  api.servers.set('studio', { capacity: 100, sight: { kind: 'heard' } })
  const [plain, dressed] = [join(home.path, 'tone.mp3'), join(home.path, 'dressed.mp3')]
  await toneFile(plain, { frequencyHz: 440, seconds: 1 })
  const picture = ['-f', 'lavfi', '-i', 'testsrc=s=64x64:d=1', '-frames:v', '1', '-map', '0:a', '-map', '1:v']
  await runCommand('ffmpeg', ['-v', 'error', '-i', plain, ...picture, '-c:a', 'copy', '-c:v', 'png', dressed], {
    timeoutMs: 20_000,
  })
  const tone = await readFile(dressed)
  file = new Blob([new Uint8Array(tone)])
  played = ((await make('/api/media/upload', form())) as { id: string }).id
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const send = (method: string, target: string, body?: FormData | string, by = token) =>
  fetch(target, {
    method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${by}`,
      ...(body instanceof FormData && { prefer: 'wait=60' }),
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  })
const make = async (path: string, body: FormData | object) =>
  (await send('POST', `${url}${path}`, body instanceof FormData ? body : JSON.stringify(body))).json()

function form(name = ''): FormData {
  const filled = new FormData()
  const field = /cover|artwork/.exec(name)?.[0]
  if (field) {
    filled.set(field, new Blob(['\x89PNG']), 'picture.png')
    return filled
  }
  filled.set('media_file', new Blob([file, randomBytes(16)]), 'tone.mp3') // no two are the same piece
  return filled
}

/** What a request may be about, made anew for it once it is asked for. */
function variables(request: (typeof requests)[number]): Record<string, () => Promise<string> | string> {
  const names = (variable: string) => JSON.stringify(request).includes(`{{${variable}}}`)
  const media = once(async () => ((await make('/api/media/upload', form())) as { id: string }).id)
  const owner = once(async () => (await api.user('dj')).user.id)
  const channel = once(async () => {
    const made = (await make('/api/channels', { name: 'Postman' })) as { channel: { id: string } }
    const piece = names('media') ? await media() : played
    if (!request.name.startsWith('Append')) await make(`/api/channels/${made.channel.id}/media`, { media_ids: [piece] })
    return made.channel.id
  })
  const somebody = once(() => person(request.name))
  return {
    base_url: () => url,
    token: () => token,
    provider: () => 'google',
    server: () => 'studio',
    user: owner,
    media,
    channel,
    trashed: () => trashedChannel(owner),
    trashedPiece: async () => {
      const { id } = await api.stores.media.add(musicRecord(await owner()))
      await api.stores.mediaTrash.put(id)
      return id
    },
    review: async () => (await api.stores.opinions.review(await channel(), await owner(), 'Fine')).id,
    genre: async () => String(((await make('/api/genres', { name: randomUUID() })) as { id: number }).id),
    token_id: async () => (await api.stores.accounts.createToken(await owner(), 'x')).id,
    email: async () => (await somebody()).email,
    password: () => PASSWORD,
    session: async () => (await somebody()).session,
    session_id: async () => (await api.stores.accounts.listSessions((await somebody()).id))[0]!.id,
    mail_token: async () => (await somebody()).mail_token,
    code: async () => (await somebody()).code,
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

async function trashedChannel(owner: () => Promise<string>): Promise<string> {
  const texts = { name: 'x', slug: `t-${randomUUID()}`, description: '', mode: 'copy', bitrateKbps: 128 } as const
  const trashed = await api.stores.channels.create({ ...texts, ownerId: await owner() })
  await api.stores.channels.discard(trashed)
  return trashed.id
}

/** Somebody with an account who is logged in, and what the request needs of a mail or an app of theirs. */
async function person(name: string) {
  const made = await registered(api)
  const known = { id: made.id, email: made.email, session: await session(api, made), mail_token: '', code: '' }
  if (name.startsWith('Confirm the second factor')) {
    const body = JSON.stringify({ password: PASSWORD })
    const { uri } = (await (await send('POST', `${url}/api/account/totp`, body, known.session)).json()) as { uri: string }
    return { ...known, code: totp(uri) }
  }
  if (name.startsWith('Set a new password')) {
    await make('/api/password/forgot', { email: made.email })
    return { ...known, mail_token: tokenTo(api, made.email) }
  }
  if (!name.startsWith('Confirm an address')) return known
  const email = `late-${made.email}`
  await make('/api/register', { username: `late-${made.username}`, email, password: PASSWORD })
  return { ...known, mail_token: tokenTo(api, email) }
}

test('the collection has every route', () => {
  const inCollection = requests.map(({ method, url: { raw } }) => `${method} ${raw.replace('{{base_url}}', '')}`)
  const routes = api.app.accessTable
    .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs') && !url.startsWith('/api/media/uploads'))
    .map(
      ({ method, url: route }) =>
        `${method} ${route.replaceAll(/:(\w+)/g, (_, name) => `{{${['token', 'session'].includes(name) ? `${name}_id` : name}}}`)}`,
    )
  expect(inCollection.toSorted()).toEqual(routes.toSorted())
})

test('the collection has a variable for all that its requests are about', () => {
  const known = Object.keys(variables(requests[0]!))
  expect(collection.variable.map(({ key }) => key).toSorted()).toEqual(known.toSorted())
})

test.each(requests)('it works as it stands there: $method $name', async (request) => {
  const known = variables(request)
  const values: Record<string, string> = { $randomLoremWord: 'lorem', $timestamp: String(Date.now()) }
  for (const [, key] of JSON.stringify(request).matchAll(/\{\{(\w+)\}\}/g)) {
    if (known[key!] === undefined) throw new Error(`The collection has no variable ${key}`)
    values[key!] = await known[key!]!()
  }
  const fill = (text: string) => text.replaceAll(/\{\{([^}]+)\}\}/g, (_, key: string) => values[key]!)
  const { name, method, url: target, body, auth } = request
  const answer = await send(
    method,
    fill(target.raw),
    body?.mode === 'formdata' ? form(name) : body?.raw && fill(body.raw),
    fill(auth?.bearer?.[0]?.value ?? token),
  )
  const isEndless = answer.headers.get('content-type')?.startsWith('text/event-stream')
  const text = isEndless ? '' : await answer.text()
  if (isEndless) await answer.body!.cancel()
  expect({ status: Math.floor(answer.status / 100), text }).toMatchObject({ status: ELSEWHERE[name] ?? 2 })
})

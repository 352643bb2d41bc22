import { randomBytes } from 'node:crypto'
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

/** A channel with two pieces, of which one is on the playlist, and what else the requests are about. */
async function variables(name: string): Promise<Record<string, string>> {
  const media = (await make('/api/media/upload', form())) as { id: string }
  const { channel } = (await make('/api/channels', { name: 'Postman' })) as { channel: { id: string } }
  if (!name.startsWith('Append')) await make(`/api/channels/${channel.id}/media`, { media_ids: [media.id] })
  const { user } = await api.user('dj')
  const trashed = await api.stores.channels.create({
    ownerId: user.id,
    name: 'x',
    slug: `t-${channel.id}`,
    description: '',
    mode: 'copy',
    bitrateKbps: 128,
  })
  await api.stores.channels.discard(trashed)
  const gone = await api.stores.media.add(musicRecord(user.id))
  await api.stores.mediaTrash.put(gone.id)
  const review = await api.stores.opinions.review(channel.id, user.id, 'Fine')
  const genre = (await make('/api/genres', { name: `Genre of ${channel.id}` })) as { id: number }
  const { id: tokenId } = await api.stores.accounts.createToken(user.id, 'x')
  const about = {
    channel: channel.id,
    media: media.id,
    trashed: trashed.id,
    trashedPiece: gone.id,
    review: review.id,
    genre: String(genre.id),
    server: 'studio',
    user: user.id,
    token_id: tokenId,
    provider: 'google',
  }
  const known = { base_url: url, token, ...about, ...(await person(name)) }
  expect(collection.variable.map(({ key }) => key).toSorted()).toEqual(Object.keys(known).toSorted())
  return { ...known, $randomLoremWord: 'lorem', $timestamp: String(Date.now()) }
}

/** Somebody with an account, and what the request needs of it. */
async function person(name: string): Promise<Record<string, string>> {
  const { url: asked, body, auth } = requests.find((request) => request.name === name)!
  if (!/\{\{(email|password|session|session_id|mail_token|code)\}\}/.test(JSON.stringify([asked, body, auth])))
    return { email: '', password: '', session: '', session_id: '', mail_token: '', code: '' }
  const made = await registered(api)
  const begun = await session(api, made)
  const sessionId = (await api.stores.accounts.listSessions(made.id))[0]!.id
  const known = { email: made.email, password: PASSWORD, session: begun, session_id: sessionId, mail_token: '', code: '' }
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

test.each(requests)('it works as it stands there: $method $name', async ({ name, method, url: { raw }, body, auth }) => {
  const known = await variables(name)
  const fill = (text: string) =>
    text.replaceAll(/\{\{([^}]+)\}\}/g, (_, key: string) => {
      if (known[key] === undefined) throw new Error(`The collection has no variable ${key}`)
      return known[key]
    })
  const answer = await send(
    method,
    fill(raw),
    body?.mode === 'formdata' ? form(name) : body?.raw && fill(body.raw),
    fill(auth?.bearer?.[0]?.value ?? token),
  )
  const isEndless = answer.headers.get('content-type')?.startsWith('text/event-stream')
  const text = isEndless ? '' : await answer.text()
  if (isEndless) await answer.body!.cancel()
  expect({ status: Math.floor(answer.status / 100), text }).toMatchObject({ status: ELSEWHERE[name] ?? 2 })
})

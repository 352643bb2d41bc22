import { openApiDocument } from './open-api-text.ts'

/** What the collection needs of the OpenAPI document. */
interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly security?: unknown
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> }
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** Of a protocol that has clients of its own: nobody speaks it by hand. */
const LEFT_OUT = '/api/media/uploads'

/** What each request with a JSON body sends; a test sends them all. */
export const bodyExamples: Readonly<Record<string, object>> = {
  'POST /api/channels': { name: 'My channel', genre: 'Jazz' },
  'PUT /api/channels/{channel}': { description: 'Jazz, all night' },
  'PATCH /api/channels/{channel}': { name: 'My channel' },
  'POST /api/channels/{channel}/genres': { genre_ids: [8] },
  'DELETE /api/channels/{channel}/genres': { genre_ids: [8] },
  'POST /api/channels/trash/restore': { ids: ['{{trashed}}'] },
  'POST /api/channel/trash/restore': { ids: ['{{trashed}}'] },
  'POST /api/channels/restore': { ids: ['{{trashed}}'] },
  'POST /api/channels/{channel}/reviews': { review: 'The best there is at night' },
  'POST /api/genres': { name: 'Genre {{$timestamp}}' },
  'POST /api/media/{media}/genres': { genre_ids: [8] },
  'DELETE /api/media/{media}/genres': { genre_ids: [8] },
  'PUT /api/media/{media}': { title: 'Another title', public: 'public', downloadable: 'no', cue_in_ms: 0 },
  'POST /api/media/{media}/convert': { format: 'flac' },
  'POST /api/media/{media}/trim': { from_ms: 100, to_ms: 900 },
  'POST /api/media/{media}/channels': { channel_ids: ['{{channel}}'] },
  'DELETE /api/media/{media}/channels': { channel_ids: ['{{channel}}'] },
  'POST /api/media/trash/restore': { ids: ['{{trashedPiece}}'] },
  'PUT /api/channels/{channel}/state': { state: 'on' },
  'POST /api/channels/{channel}/media': { media_ids: ['{{media}}'] },
  'DELETE /api/channels/{channel}/media': { media_ids: ['{{media}}'] },
  'PUT /api/channels/{channel}/media/order': { media_ids: ['{{media}}'] },
  'PATCH /api/channels/{channel}/placement': { replicas: 1, labels: {} },
  'POST /api/channels/{channel}/move': { server_id: '{{server}}', at: 'track_end' },
  'POST /api/users': { username: '{{$randomLoremWord}}-{{$timestamp}}', role: 'dj', email: 'dj-{{$timestamp}}@example.org' },
  'PATCH /api/users/{user}': { role: 'listener' },
  'PATCH /api/users/{user}/quota': { media_quota_bytes: 10_000_000_000 },
  'POST /api/tokens': { name: 'my laptop', expires_in_days: 30, scopes: ['media:read', 'media:create'] },
  'POST /api/register': {
    username: '{{$randomLoremWord}}-{{$timestamp}}',
    name: 'A newcomer',
    email: '{{$timestamp}}@example.org',
    password: '{{password}}',
  },
  'POST /api/confirm-email': { token: '{{mail_token}}' },
  'POST /api/confirm-email/resend': { email: '{{email}}' },
  'POST /api/login': { email: '{{email}}', password: '{{password}}', session: 'token' },
  'POST /api/password/forgot': { email: '{{email}}' },
  'POST /api/password/reset': { token: '{{mail_token}}', password: '{{password}}' },
  'PATCH /api/account': { name: 'Somebody else' },
  'POST /api/account/email': { email: 'new-{{$timestamp}}@example.org', password: '{{password}}' },
  'DELETE /api/account': { password: '{{password}}' },
  'POST /api/account/password': { current_password: '{{password}}', password: '{{password}}' },
  'POST /api/account/totp': { password: '{{password}}' },
  'POST /api/account/totp/confirm': { code: '{{code}}' },
  'DELETE /api/account/totp': { password: '{{password}}' },
}

/** What a request teaches the ones after it: variable ← expression on the answer. */
const LESSONS: Readonly<Record<string, readonly [variable: string, expression: string]>> = {
  'POST /api/channels': ['channel', 'pm.response.json().channel.id'],
  'POST /api/channels/{channel}/reviews': ['review', 'pm.response.json().id'],
  'POST /api/genres': ['genre', 'pm.response.json().id'],
  'POST /api/media/upload': ['media', 'pm.response.json().id'],
  'POST /api/media': ['media', 'pm.response.json().id'],
  'POST /api/users': ['user', 'pm.response.json().id'],
  'POST /api/tokens': ['token_id', 'pm.response.json().id'],
  'POST /api/login': ['session', 'pm.response.json().token'],
  'GET /api/account/sessions': ['session_id', 'pm.response.json().data[0].id'],
  'POST /api/account/password': ['session', 'pm.response.json().token'],
  'POST /api/account/totp/confirm': ['session', 'pm.response.json().token'],
  'DELETE /api/account/totp': ['session', 'pm.response.json().token'],
}

const VARIABLES = [
  { key: 'base_url', value: 'http://127.0.0.1:3000', description: 'Where the API listens.' },
  { key: 'token', value: '', description: 'A token; the first one lies in $SKIPCAST_HOME/admin-token.' },
  { key: 'channel', value: 'demo', description: 'The id or slug of a channel.' },
  { key: 'trashed', value: '', description: 'The id of a channel in the trash.' },
  { key: 'trashedPiece', value: '', description: 'The id of a piece in the trash.' },
  { key: 'review', value: '', description: 'The id of a review: POST …/reviews sets it.' },
  { key: 'genre', value: '', description: 'The id of a genre: POST /api/genres sets it.' },
  { key: 'media', value: '', description: 'The id of a piece.' },
  { key: 'server', value: '', description: 'The id of a server.' },
  { key: 'user', value: '', description: 'The id of a user.' },
  { key: 'provider', value: 'google', description: 'One of GET /api/auth/providers.' },
  { key: 'email', value: '', description: 'Of your account.' },
  { key: 'password', value: '', description: 'Of your account.' },
  { key: 'session', value: '', description: 'The token of your session: POST /api/login sets it.' },
  { key: 'mail_token', value: '', description: 'From the link in a mail, after #token=.' },
  { key: 'session_id', value: '', description: 'The id of one of your sessions: GET /api/account/sessions sets it.' },
  { key: 'code', value: '', description: 'What your authenticator shows.' },
  { key: 'token_id', value: '', description: 'The id of a token, never the token itself.' },
]

/** The API as a Postman collection (v2.1). It follows from the routes alone, so it is the same every time. */
export async function postmanText(): Promise<string> {
  const document = await openApiDocument()
  const paths = Object.entries(document.paths ?? {}).filter(([path]) => !path.startsWith(LEFT_OUT))
  const requests = paths.flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const operation = (operations as Partial<Record<string, Operation>>)[method]
      return operation ? [{ tag: operation.tags?.[0], item: itemOf(method.toUpperCase(), path, operation) }] : []
    }),
  )
  const collection = {
    info: {
      name: document.info.title,
      description: document.info.description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: VARIABLES,
    item: (document.tags ?? []).map(({ name, description }) => ({
      name,
      description,
      item: requests.filter(({ tag }) => tag === name).map(({ item }) => item),
    })),
  }
  return `${JSON.stringify(collection, null, 2)}\n`
}

function itemOf(method: string, path: string, operation: Operation) {
  const key = `${method} ${path}`
  const lesson = LESSONS[key]
  const exec = lesson && [`if (pm.response.code < 300) pm.collectionVariables.set('${lesson[0]}', ${lesson[1]})`]
  return {
    name: operation.summary ?? key,
    ...(exec && { event: [{ listen: 'test', script: { type: 'text/javascript', exec } }] }),
    request: {
      method,
      description: operation.description ?? '',
      ...authOf(key, operation),
      header: [],
      url: urlOf(path, operation),
      ...bodyOf(key, operation),
    },
  }
}

/** What a token can not do is asked with the session. */
const BY_SESSION = /^(PATCH|DELETE|POST) \/api\/(account|logout)|^GET \/api\/account\/(sessions|export)/

function authOf(key: string, { security }: Operation) {
  if (security === undefined) return { auth: { type: 'noauth' } }
  if (!BY_SESSION.test(key)) return {}
  return { auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{session}}', type: 'string' }] } }
}

/** The variables of these names are secrets; their ids are others. */
const IDS = new Set(['token', 'session'])

function urlOf(path: string, { parameters = [] }: Operation) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `{{${IDS.has(name) ? `${name}_id` : name}}}`)
  const query = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, description }) => ({ key: name, value: '', disabled: true, ...(description && { description }) }))
  return {
    raw: `{{base_url}}${filled}`,
    host: ['{{base_url}}'],
    path: filled.slice(1).split('/'),
    ...(query.length > 0 && { query }),
  }
}

function bodyOf(key: string, { requestBody }: Operation) {
  if (!requestBody) return {}
  if ('multipart/form-data' in requestBody.content)
    return {
      body: {
        mode: 'formdata',
        formdata: [{ key: key.match(/\/(cover|artwork)$/)?.[1] ?? 'media_file', type: 'file', src: [] }],
      },
    }
  const sample = bodyExamples[key]
  if (!sample) throw new Error(`The collection does not know what ${key} could send`)
  return { body: { mode: 'raw', raw: JSON.stringify(sample, null, 2), options: { raw: { language: 'json' } } } }
}

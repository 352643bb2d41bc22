import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { pathTo, SOME_FILE, somebody, type Somebody } from './access-world.ts'
import { musicRecord, testApi, type TestApi } from './test-api.ts'

const PEOPLE = ['nobody', 'listener', 'dj', 'admin', 'themselves'] as const
/** Answers without an end, and files of the documentation. */
const NOT_READ = /\/events$|^\/docs\/static/
/** Where people read their own address. */
const OWN_ADDRESS = ['/api/account', '/api/account/export']

let api: TestApi
let victim: Somebody
const tokens: Record<string, string | undefined> = {}
/** What no answer holds, whoever asks; and what only its owner, or they and admins, may read. */
const secrets: Record<string, string> = {}
const EMAIL = 'victim@radio.test'
const PRIVATE = { title: 'A tune nobody shall know', artist: 'The hidden', originalName: 'hidden-file.mp3' }
/** Others may know of the piece, and not of its file. */
const PUBLIC = { title: 'A tune for all', visibility: 'public' } as const
const OF_OWNERS = { problem: 'A problem of its owner', originalName: 'public-file.mp3' }
const FAILED = { title: 'A tune that nobody can hear', state: 'failed', originalName: 'failed-file.mp3' } as const
const PRIVATE_CHANNEL = { name: 'A hidden channel', slug: 'hidden-channel', description: 'For hidden ears' }
let hidden: Somebody
let open: Somebody

beforeAll(async () => {
  api = await testApi({}, undefined, { providers: { google: { clientId: 'the-client', clientSecret: 'the-client-secret' } } })
  const [listener, dj, admin] = await Promise.all([somebody(api, 'listener'), somebody(api, 'dj'), somebody(api, 'admin')])
  victim = await somebody(api, 'dj')
  Object.assign(tokens, { listener: listener.session, dj: dj.session, admin: admin.session, themselves: victim.session })
  await api.query(`UPDATE users SET email = $2, email_verified = true WHERE id = $1`, [victim.id, EMAIL])
  await api.query(
    `INSERT INTO logins (id, user_id, provider_id, account_id, password) VALUES ('l', $1, 'credential', $1, 'the-hash-of-it')`,
    [victim.id],
  )
  await api.query(`INSERT INTO two_factors (id, user_id, secret, backup_codes) VALUES ('t', $1, 'the-factor', 'the-codes')`, [
    victim.id,
  ])
  const media = await api.stores.media.add({ ...musicRecord(victim.id), ...PRIVATE })
  await api.stores.playlists.attach(victim.objects['channel']!, [media.id], { ownerId: null })
  await api.stores.channels.change(victim.objects['channel']!, () => ({ wanted: 'on' }))
  const file = { fileSha256: SOME_FILE, coverSha256: SOME_FILE }
  const shown = await api.stores.media.add({ ...musicRecord(victim.id), ...file, ...PUBLIC, ...OF_OWNERS })
  const failed = await api.stores.media.add({ ...musicRecord(victim.id), ...PUBLIC, ...FAILED })
  await api.query(
    `INSERT INTO media_jobs (id, media_id, kind, message, state, problem) VALUES ('j', $1, 'retag_media', '{}', 'failed', $2)`,
    [shown.id, OF_OWNERS.problem],
  )
  for (const { id } of [shown, failed])
    await api.query(`INSERT INTO channel_media (channel_id, media_id, position) VALUES ($1, $2, 9)`, [
      victim.objects['channel'],
      id,
    ])
  open = { ...victim, objects: { ...victim.objects, media: shown.id } }
  const sending = { mode: 'copy', bitrateKbps: 128, privacy: 'private' } as const
  const { id } = await api.stores.channels.create({ ownerId: victim.id, ...PRIVATE_CHANNEL, ...sending })
  await api.stores.playlists.attach(id, [media.id], { ownerId: null })
  await api.stores.channels.change(id, () => ({ wanted: 'on' }))
  hidden = { ...victim, objects: { ...victim.objects, channel: id } }
  const hashes = await api.query<{ hash: string }>(
    `SELECT token_hash AS hash FROM sessions UNION SELECT token_hash FROM api_tokens`,
  )
  hashes.forEach(({ hash }, index) => (secrets[`hash ${index}`] = hash))
  Object.assign(secrets, {
    'a session': victim.session,
    'the hash of a password': 'the-hash-of-it',
    'a second factor': 'the-factor',
    'recovery codes': 'the-codes',
    'what providers know us by': 'the-client-secret',
    'the key of source tokens': 'k'.repeat(32),
    'the secret of accounts': 's'.repeat(32),
    'a path of ours': api.mediaPath,
    'a folder of ours': process.cwd(),
  })
}, 60_000)

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

test.each(PEOPLE)(
  'no answer to %s holds a credential, a hash, a path or the address of another, nor what is private',
  async (person) => {
    const routes = api.app.accessTable.filter(({ method, url }) => method === 'GET' && !NOT_READ.test(url))
    expect(routes.length).toBeGreaterThan(25)
    const found: string[] = []
    for (const { url } of routes) {
      for (const query of [
        '',
        ...(/:\w+$|\*/.test(url) ? [] : ['?per_page=100&search=', '?per_page=100&search=hidden']),
        ...(url === '/api/media' ? ['?of=public'] : []),
      ]) {
        let told = ''
        const others = url.includes(':channel') ? [hidden] : url.includes(':media') ? [open] : []
        for (const whose of [victim, ...others]) {
          const { text, headers } = await api.call('GET', pathTo(url, whose) + query, {
            ...(tokens[person] !== undefined && { token: tokens[person] }),
          })
          told += `${text} ${JSON.stringify(headers)}`
        }
        const tell = (what: string, value: string) => told.includes(value) && found.push(`${url}${query}: ${what}`)
        for (const [what, value] of Object.entries(secrets)) tell(what, value)
        const isOwn = person === 'themselves'
        if (!isOwn || !OWN_ADDRESS.includes(url)) tell('an address', EMAIL)
        if (isOwn || person === 'admin') continue
        for (const [what, value] of Object.entries(PRIVATE)) tell(`a private ${what}`, value)
        for (const [what, value] of Object.entries(OF_OWNERS)) tell(`its owner’s ${what}`, value)
        for (const value of [FAILED.title, FAILED.originalName]) tell('a piece that failed', value)
        for (const [what, value] of Object.entries(PRIVATE_CHANNEL)) tell(`a private channel’s ${what}`, value)
      }
    }
    expect(found).toEqual([])
  },
)

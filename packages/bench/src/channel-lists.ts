import { Agent, request } from 'node:http'
import { openHome } from '@skipcast/runtime'
import { startSkipcast, summarise, temporaryHome, untilReady } from '@skipcast/testing'
import type { Benchmark } from './benchmark.ts'
import { homeDatabase } from './home-database.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const TARGET_MS = 50
const CHANNELS_AT_ONCE = 5000
const OWNERS = 1000
/** Of each kind, before it is measured: connections are made, and what is read often is in memory. */
const WARM_UP = 5

/** What is asked: `{}` is a number that is another one each time, `{3}` three digits. */
const CASES = [
  { name: 'first page', query: '' },
  { name: 'first page, by name', query: 'sort=name&order=asc' },
  { name: 'first page, changed last', query: 'sort=updated_at' },
  { name: 'page 500', query: 'page=500' },
  { name: 'last page', query: 'page=5900' },
  { name: 'of one genre', query: 'genre=jazz' },
  { name: 'search: one in 100,000', query: 'search=station+{}+of' },
  { name: 'search: some hundreds', query: 'search={3}' },
  { name: 'search: nearly all', query: 'search=radio' },
  { name: 'search: none', query: 'search=nothing+like+it+{}' },
  { name: 'search and genre, by name', query: 'search={3}&genre=jazz&sort=name' },
  { name: 'search: two characters, none', query: 'search=qq' },
] as const

export const channelLists: Benchmark<{ channels: number; requests: number }> = {
  name: 'channel-lists',
  summary: 'listing and searching a great many channels over HTTP, as nobody and as their owner',
  settings: { channels: 100_000, requests: 100 },
  async run({ channels, requests }, say) {
    await using home = await temporaryHome()
    await using skipcast = await startSkipcast(home.path, {
      EVENT_BUS: 'memory',
      SERVER_ROLES: 'all',
      API_RATE_LIMIT: '10000000',
    })
    await untilReady(skipcast)
    say(`making ${channels} channels, a tenth of them private`)
    const token = await fill(home.path, channels)
    const rows: string[][] = []
    for (const { name, query } of CASES) {
      say(name)
      const asNobody = await ask(skipcast.apiUrl, query, requests, null)
      const asOwner = await ask(skipcast.apiUrl, query, requests, token)
      rows.push([
        name,
        ...[asNobody, asOwner].flatMap(({ p50, p99, max }) => [p50, p99, max].map((ms) => ms.toFixed(1))),
        verdict(Math.max(asNobody.p99, asOwner.p99) <= TARGET_MS, `p99 ≤ ${TARGET_MS} ms`),
      ])
    }
    const heading = ['nobody: ms p50', 'p99', 'max', 'an owner: ms p50', 'p99', 'max', 'target']
    return `${channels} channels; n = ${requests} each, one after the other\n\n${table(['GET /api/channels', ...heading], rows)}`
  },
}

/** By the database itself; the API would take an hour. Resolves with the token of somebody who owns some of them. */
async function fill(home: string, channels: number): Promise<string> {
  await using database = await homeDatabase(await openHome(home))
  const run = (text: string, ...values: unknown[]) => database.query({ name: `bench-${text.length}`, text }, values)
  await run(
    `INSERT INTO users (id, username, role) SELECT 'owner-' || n, 'owner-' || n, 'dj' FROM generate_series(1, ${OWNERS}) n`,
  )
  for (let first = 1; first <= channels; first += CHANNELS_AT_ONCE) {
    await run(
      `WITH made AS (
         INSERT INTO channels (id, owner_id, name, slug, description, genre, privacy, mode, bitrate_kbps, updated_at)
         SELECT gen_random_uuid(), 'owner-' || (1 + n % ${OWNERS}), 'Radio ' || md5(n::text), 'radio-' || n, 'Station ' || n || ' of many, with ' || md5((n * 7)::text) || ' and what else is told.',
           g.name, (CASE WHEN n % 10 = 0 THEN 'private' ELSE 'public' END)::privacy, 'copy', 128, now() - (n || ' seconds')::interval
         FROM generate_series($1::int, $2::int) n JOIN genres g ON g.id = 1 + n % 15 RETURNING id, genre
       ) INSERT INTO channel_genres (channel_id, genre_id) SELECT made.id, g.id FROM made JOIN genres g ON g.name = made.genre`,
      first,
      Math.min(first + CHANNELS_AT_ONCE - 1, channels),
    )
  }
  await run('VACUUM ANALYZE channels')
  await run('VACUUM ANALYZE channel_genres')
  const token = `sk_${'b'.repeat(43)}`
  await run(
    `INSERT INTO api_tokens (id, user_id, name, token_hash) VALUES (gen_random_uuid(), 'owner-5', 'bench', encode(sha256($1::bytea), 'hex'))`,
    token,
  )
  return token
}

async function ask(url: string, query: string, requests: number, token: string | null) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const took: number[] = []
  for (let index = -WARM_UP; index < requests; index++) {
    const filled = query
      .replace('{}', String(1 + ((index * 7919) % 90_000)))
      .replace('{3}', (0x100 + (((index + WARM_UP) * 37) % 0xeff)).toString(16))
    const from = performance.now()
    await read(`${url}/api/channels?${filled}`, agent, token)
    if (index >= 0) took.push(performance.now() - from)
  }
  agent.destroy()
  return summarise(took)
}

function read(url: string, agent: Agent, token: string | null): Promise<void> {
  return new Promise((done, fail) => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    const asked = request(url, { agent, headers }, (response) => {
      if (response.statusCode !== 200) fail(new Error(`${url}: ${response.statusCode}`))
      response.once('end', done).resume()
    })
    asked.once('error', fail).end()
  })
}

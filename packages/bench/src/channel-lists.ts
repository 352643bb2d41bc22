import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { openHome } from '@skipcast/runtime'
import { startSkipcast, summarise, temporaryHome, untilReady } from '@skipcast/testing'
import { bareList } from './bare-list.ts'
import type { Benchmark } from './benchmark.ts'
import { fillLibrary } from './fill-library.ts'
import { homeDatabase } from './home-database.ts'
import { LISTS, type ListCase } from './list-cases.ts'
import { table } from './table.ts'
import { verdict } from './verdict.ts'

const TARGET_MS = 50
/** Of each kind, before it is measured: connections are made, and what is read often is in memory. */
const WARM_UP = 3

export const channelLists: Benchmark<{ channels: number; media: number; requests: number; bare: number }> = {
  name: 'channel-lists',
  summary: 'listing and searching a great many channels and media over HTTP, beside count(*), LIMIT and ILIKE on the same rows',
  settings: { channels: 100_000, media: 100_000, requests: 100, bare: 20 },
  async run({ channels, media, requests, bare }, say) {
    await using home = await temporaryHome()
    await using skipcast = await startSkipcast(home.path, {
      EVENT_BUS: 'memory',
      SERVER_ROLES: 'all',
      API_RATE_LIMIT: '10000000',
    })
    await untilReady(skipcast)
    await using database = await homeDatabase(await openHome(home.path))
    say(`making ${channels} channels and ${media} media`)
    const { token: owner, playlist } = await fillLibrary(database, { channels, media })
    const admin = (await readFile(`${home.path}/admin-token`, 'utf8')).trim()
    const tokens = { nobody: null, owner, mine: owner, admin }
    await using bareChannels = await bareList(database, {
      name: 'bare_channels',
      searched: ['name', 'slug', 'description', 'genre'],
      genres: 'channel_genres',
    })
    await using bareMedia = await bareList(database, {
      name: 'bare_media',
      searched: ['title', 'artist', 'album', 'original_name'],
    })
    const rivals = { channels: bareChannels.url, media: bareMedia.url, playlist: null }
    const paths = { channels: '/api/channels', media: '/api/media', playlist: `/api/channels/${playlist}/media` }

    say(`${LISTS.length} lists, ${requests} of each`)
    const rows: string[][] = []
    for (const each of LISTS) {
      const rival = rivals[each.of]
      const [ours, theirs] = await inTurns(
        each,
        { url: skipcast.apiUrl + paths[each.of], token: tokens[each.who], times: requests },
        { url: rival, times: rival === null ? 0 : bare },
      )
      const ms = ({ p50, p99, max }: typeof ours) => [p50, p99, max].map((each_) => each_.toFixed(1))
      rows.push([
        `${each.of}, ${each.who}: ${each.name}`,
        ...ms(ours),
        verdict(ours.p99 <= TARGET_MS, `≤ ${TARGET_MS} ms`),
        ...(theirs === null ? ['–', '–', '–'] : [...ms(theirs).slice(0, 2), `${(theirs.p50 / ours.p50).toFixed(1)}x`]),
      ])
    }
    const heading = ['list', 'ms p50', 'p99', 'max', 'target', 'bare: p50', 'p99', 'bare / ours']
    return `${channels} channels, ${media} media; n = ${requests} each, bare ${bare}, in turns, one after the other\n\n${table(heading, rows)}`
  },
}

/** Theirs evenly between ours. */
async function inTurns(
  { query, who }: ListCase,
  ours: { url: string; token: string | null; times: number },
  theirs: { url: string | null; times: number },
) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const [took, rivalTook]: [number[], number[]] = [[], []]
  const every = Math.max(1, Math.floor(ours.times / Math.max(1, theirs.times)))
  for (let index = -WARM_UP; index < ours.times; index++) {
    const filled = fill(query, index + WARM_UP)
    const ms = await time(`${ours.url}?${filled}`, agent, ours.token)
    if (index >= 0) took.push(ms)
    const isTheirTurn = index < 0 || (index % every === 0 && rivalTook.length < theirs.times)
    if (theirs.url === null || theirs.times === 0 || !isTheirTurn) continue
    const rivalMs = await time(`${theirs.url}?${filled}&who=${who}`, agent, null)
    if (index >= 0) rivalTook.push(rivalMs)
  }
  agent.destroy()
  return [summarise(took), rivalTook.length === 0 ? null : summarise(rivalTook)] as const
}

/** `{}` is a number that is another one each time, `{3}` three digits. */
function fill(query: string, index: number): string {
  return query.replace('{}', String(1 + ((index * 7919) % 90_000))).replace('{3}', (0x100 + ((index * 37) % 0xeff)).toString(16))
}

/** In ms, until the whole answer is there. */
async function time(url: string, agent: Agent, token: string | null): Promise<number> {
  const from = performance.now()
  await new Promise<void>((done, fail) => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    const asked = request(url, { agent, headers }, (response) => {
      if (response.statusCode !== 200) fail(new Error(`${url}: ${response.statusCode}`))
      response.once('end', done).resume()
    })
    asked.once('error', fail).end()
  })
  return performance.now() - from
}

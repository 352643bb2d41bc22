import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database } from '@skipcast/db'

/** What is sorted and searched as usual: a table by itself. */
export interface BareTable {
  readonly name: 'bare_channels' | 'bare_media'
  readonly searched: readonly string[]
  /** Joined to it, for `genre`. */
  readonly genres?: 'channel_genres'
}

const COLUMNS: ReadonlySet<string> = new Set(['created_at', 'updated_at', 'name', 'slug', 'title', 'artist', 'duration_ms'])
const WHO = {
  nobody: `r.public`,
  owner: `(r.public OR r.owner_id = 'owner-5')`,
  mine: `r.owner_id = 'owner-5'`,
  admin: 'true',
} as const

/**
 * Lists as they come with the usual frameworks, on the same rows with the usual indexes (key, foreign key, time): `count(*)` of all, `LIMIT` and `OFFSET`, `ILIKE` on each
 * column; answered by Node’s http alone, without accounts or schemas. `who`, `sort`, `order`, `page`, `search` and `genre` are in the query.
 */
export async function bareList(database: Database, table: BareTable): Promise<AsyncDisposable & { readonly url: string }> {
  const answer = async (query: URLSearchParams): Promise<unknown> => {
    const sort = query.get('sort') ?? 'created_at'
    const who = WHO[(query.get('who') ?? 'nobody') as keyof typeof WHO]
    if (!COLUMNS.has(sort)) throw new RangeError(sort)
    const values: unknown[] = []
    const next = (value: unknown) => `$${values.push(value)}`
    const all = ['r.deleted_at IS NULL', who]
    const search = query.get('search')
    if (search !== null) {
      const pattern = next(`%${search}%`)
      all.push(`(${table.searched.map((column) => `r.${column} ILIKE ${pattern}`).join(' OR ')})`)
    }
    const genre = query.get('genre')
    if (genre !== null && table.genres)
      all.push(
        `EXISTS (SELECT 1 FROM ${table.genres} j JOIN genres g ON g.id = j.genre_id WHERE j.channel_id = r.id AND g.slug = ${next(genre)})`,
      )
    const rows = `FROM ${table.name} r WHERE ${all.join(' AND ')}`
    const order = query.get('order') === 'asc' ? 'ASC' : 'DESC'
    const offset = (Number(query.get('page') ?? 1) - 1) * 15
    const run = (text: string) => database.query<Record<string, unknown>>({ name: '', text }, values)
    const [{ total } = {}] = await run(`SELECT count(*)::int AS total ${rows}`)
    const data = await run(`SELECT r.* ${rows} ORDER BY r.${sort} ${order}, r.id ${order} LIMIT 15 OFFSET ${offset}`)
    return { data, total }
  }
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    void answer(searchParams).then(
      (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

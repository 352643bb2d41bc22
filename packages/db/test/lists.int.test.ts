import { beforeEach, expect, test } from '@jest/globals'
import { listChannels, type ChannelListRequest } from '../src/stores/channel-list.ts'
import type { ListLimits } from '../src/stores/list-ids.ts'
import type { Channel } from '../src/stores/records.ts'
import { testStores } from './test-stores.ts'

const given = testStores()

/** Wildcards, umlauts, scripts without spaces, emoji of one and of several characters; some names are the same. */
const NAMES = [
  'Jazz',
  'jazz',
  'ÄRGER im Äther',
  '100% Soul',
  '1000 Souls',
  'a_b',
  'aXb',
  String.raw`back\slash`,
  'ラジオ東京',
  '🎵',
  '🏴‍☠️ Radio',
  "it's",
  'a b',
  '!!!',
]
const SEARCHES = [
  'j',
  'zz',
  'JAZZ',
  'ä',
  'är',
  'ÄTHER',
  '%',
  '0%',
  '_',
  'a_b',
  '\\',
  'k\\s',
  '東京',
  '京',
  'ラジオ',
  '🎵',
  '☠',
  'radio',
  "'",
  'b',
  'a b',
  '!!',
  '!!!',
  'qq',
  'lo',
  'jazz and',
]
const SORTS = { created_at: 'id', updated_at: 'updatedAt', name: 'name', slug: 'slug' } as const satisfies Record<
  string,
  keyof Channel
>
/** The usual ones, which gather all of so few, and ones with which a search comes to walk. */
const LIMITS: readonly (ListLimits | undefined)[] = [
  undefined,
  { counted: 7, gathered: 12, sampled: 10 },
  { counted: 7, gathered: 12, sampled: 1000 }, // which nothing is often enough for
  { counted: 5, gathered: 0, sampled: 1000 },
]

let channels: Channel[]
let owner: string
let genreId: number

beforeEach(async () => {
  owner = given.owner.id
  const other = await given.stores.accounts.createUser({ username: 'somebody-else', role: 'dj' })
  genreId = (await given.stores.genres.findByName('Jazz'))!.id
  channels = []
  for (let index = 0; index < 3 * NAMES.length; index++) {
    const made = await given.channel({
      ownerId: index % 2 === 0 ? owner : other.id,
      name: NAMES[index % NAMES.length]!,
      description: index % 4 === 0 ? 'Jazz and more' : '',
      privacy: index % 5 < 2 ? 'private' : 'public',
      genreIds: index % 3 === 0 ? [genreId] : [],
    })
    if (index % 11 === 10) await given.stores.channels.discard(made)
    else channels.push(await given.stores.channels.change(made, () => ({ bitrateKbps: 96 })))
  }
})

/** The list as it must be, from all the channels. */
function expected(request: ChannelListRequest, counted = Infinity): { ids: string[]; total: number } {
  const { sight, privacy, search, sort, order, page, perPage } = request
  const found = channels.filter((channel) => {
    if (sight !== 'everything' && channel.privacy === 'private' && (sight === 'public' || sight.ownerId !== channel.ownerId))
      return false
    if (privacy !== undefined && channel.privacy !== privacy) return false
    if (request.genreId !== undefined && !channel.genreIds.includes(request.genreId)) return false
    const text = [channel.name, channel.slug, channel.description, channel.genre].join('\n').toLowerCase()
    return search === undefined || text.includes(search.toLowerCase())
  })
  const key = (channel: Channel) => channel[SORTS[sort]]
  const compare = (one: Channel, two: Channel) => inBytes(key(one), key(two)) || inBytes(one.id, two.id)
  const sorted = found.toSorted((one, two) => (order === 'asc' ? compare(one, two) : compare(two, one)))
  return { ids: sorted.slice((page - 1) * perPage, page * perPage).map(({ id }) => id), total: Math.min(found.length, counted) }
}

/** Text as the database compares it: by its bytes in UTF-8. */
function inBytes(one: string | Date, two: string | Date): number {
  if (typeof one === 'string' && typeof two === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(two))
  return Number(one) - Number(two)
}

test('every list has what it must have, in its order, on its first page and its last, and counts no more than that', async () => {
  let asked = 0
  for (const limits of LIMITS)
    for (const sight of ['everything', 'public', { ownerId: owner }] as const)
      for (const privacy of [undefined, 'public', 'private'] as const)
        for (const sort of ['created_at', 'updated_at', 'name', 'slug'] as const)
          for (const search of [undefined, ...SEARCHES.filter((_, index) => (asked + index) % 5 === 0)]) {
            asked += 1
            const rest = { privacy, sort, search, genreId: asked % 4 === 0 ? genreId : undefined } as const
            const request = { sight, ...rest, order: asked % 2 === 0 ? 'asc' : 'desc', perPage: 4, page: 1 } as const
            const last = Math.max(1, Math.ceil(expected(request).total / 4))
            for (const page of [1, last, last + 1]) {
              const { items, total } = await given.database.run((client) => listChannels(client, { ...request, page }, limits))
              const seen = { ids: items.map(({ id }) => id), total }
              expect({ request, page, limits, ...seen }).toEqual({
                request,
                page,
                limits,
                ...expected({ ...request, page }, limits?.counted),
              })
            }
          }
  expect(asked).toBeGreaterThan(500)
})

test('a channel is found by what it is now: its name, its genre, its privacy, and out of the trash', async () => {
  const made = await given.channel({ name: 'Before the change' })
  const find = async (search: string, sight: 'public' | 'everything' = 'public') => {
    const request = { sight, search, sort: 'name', order: 'asc', page: 1, perPage: 100 } as const
    return (await given.stores.channels.list(request)).items.some(({ id }) => id === made.id)
  }
  expect(await find('before the')).toBe(true)
  await given.stores.channels.change(made.id, () => ({ name: 'After it', genreIds: [genreId] }))
  expect([await find('before the'), await find('after it'), await find('jazz')]).toEqual([false, true, true])
  const hidden = await given.stores.channels.change(made.id, () => ({ privacy: 'private' }))
  expect([await find('after it'), await find('after it', 'everything')]).toEqual([false, true])
  await given.stores.channels.discard(hidden)
  expect(await find('after it', 'everything')).toBe(false)
  await given.stores.channelTrash.restore([made.id], { ownerId: null, atMost: 100 })
  expect(await find('after it', 'everything')).toBe(true)
})

test('media are listed by what they are now, those without a length where PostgreSQL puts what is unknown', async () => {
  const pieces = await Promise.all(
    NAMES.map((title, index) =>
      given.media({ title, ...(index % 3 === 0 && { state: 'processing', durationMs: null, sha256: null, sizeBytes: null }) }),
    ),
  )
  const list = async (fields: object, filter: object = {}) => {
    const request = { sort: 'title', order: 'asc', page: 1, perPage: 100, ...fields } as const
    return given.stores.media.list({ ownerId: owner, isTrashed: false, ...filter }, request)
  }
  const titles = async (fields: object, filter?: object) => (await list(fields, filter)).items.map(({ title }) => title)
  expect(await titles({})).toEqual(NAMES.toSorted(inBytes))
  expect(await titles({ page: 3, perPage: 6, order: 'desc' })).toEqual(NAMES.toSorted(inBytes).toReversed().slice(12))
  expect(await titles({ search: '_' })).toEqual(['a_b'])
  expect(await titles({ search: '🎵' })).toEqual(['🎵'])
  expect(await list({ sort: 'duration_ms', page: 3, perPage: 5 })).toMatchObject({
    total: NAMES.length,
    items: Array.from({ length: 4 }, () => ({ durationMs: null })),
  })
  expect((await list({ search: 'x' }, { state: 'processing' })).total).toBe(5) // all files are called x
  expect((await list({}, { ownerId: 'nobody' })).total).toBe(0)

  const { id } = pieces[0]!
  await given.stores.media.change(id, () => ({ title: 'Another', visibility: 'public' }))
  expect(await titles({ search: 'anoth' }, { ownerId: null, visibility: 'public' })).toEqual(['Another'])
  expect(await titles({ search: 'x' }, { ownerId: null, visibility: 'public' })).toEqual([]) // nobody else is told what files are called
  await given.stores.mediaTrash.put(id)
  expect([await titles({ search: 'anoth' }), await titles({ search: 'anoth' }, { isTrashed: true })]).toEqual([[], ['Another']])
})

import type { AccountRows, AccountTable, Condition, Row } from '@skipcast/db'
import { tokenHashOf } from '@skipcast/db'
import { createAdapterFactory } from 'better-auth/adapters'
import { symmetricDecrypt, symmetricEncrypt } from 'better-auth/crypto'

/** What the library would keep, and we do not: tokens of providers, addresses of people and their programs. */
const NOT_KEPT: Readonly<Record<AccountTable, readonly string[]>> = {
  user: ['image'],
  session: ['ipAddress', 'userAgent'],
  login: ['accessToken', 'refreshToken', 'idToken', 'accessTokenExpiresAt', 'refreshTokenExpiresAt', 'scope'],
  oneTimeValue: [],
  twoFactor: [],
}

const USER_ID = /^[0-9a-f-]{36}$/
const MAX_ROWS = 1000

/**
 * Keeps the library's rows in our tables. It would write tokens of sessions and values of half-way log-ins as they are; here the first become hashes, and
 * the second are encrypted with `key`. A row that was found by its token bears that token again, as the library hands it out.
 */
export function keptRows(rows: AccountRows, key: string) {
  const factoryOf = (present: AccountRows, transaction: false | (<R>(work: (inside: never) => Promise<R>) => Promise<R>)) =>
    createAdapterFactory({
      config: {
        adapterId: 'skipcast',
        adapterName: 'Skipcast',
        supportsJSON: false,
        supportsNumericIds: false,
        transaction,
      },
      adapter: () => {
        const find = async (model: string, where: readonly Condition[], slice: Parameters<AccountRows['find']>[2]) => {
          const found = await present.find(
            model as AccountTable,
            where.map((one) => hashed(model, one)),
            slice,
          )
          return Promise.all(found.map((row) => shown(model, row, where, key)))
        }
        return {
          async create<T>({ model, data }: { model: string; data: T }) {
            const row = data as Row
            const made = await present.create(model as AccountTable, await kept(model, row, key))
            return (await shown(model, made, tokenIn(row), key)) as T
          },
          async findOne<T>({ model, where }: { model: string; where: readonly Condition[] }) {
            return ((await find(model, where, { limit: 1 }))[0] ?? null) as T | null
          },
          async findMany<T>(
            asked: Parameters<AccountRows['find']>[2] & { model: string; where?: readonly Condition[] | undefined },
          ) {
            const { model, where = [], limit, offset, sortBy } = asked
            const slice = { limit: Math.min(limit, MAX_ROWS), ...(offset && { offset }), ...(sortBy && { sortBy }) }
            return (await find(model, where, slice)) as T[]
          },
          count: ({ model, where = [] }) =>
            present.count(
              model as AccountTable,
              where.map((one) => hashed(model, one)),
            ),
          async update<T>({ model, where, update }: { model: string; where: readonly Condition[]; update: T }) {
            const change = await kept(model, update as Row, key)
            const [row] = await present.update(
              model as AccountTable,
              where.map((one) => hashed(model, one)),
              change,
            )
            return (row ? await shown(model, row, where, key) : null) as T | null
          },
          async updateMany({ model, where, update }) {
            const change = await kept(model, update, key)
            return (
              await present.update(
                model as AccountTable,
                where.map((one) => hashed(model, one)),
                change,
              )
            ).length
          },
          async delete({ model, where }) {
            await present.remove(
              model as AccountTable,
              where.map((one) => hashed(model, one)),
            )
          },
          deleteMany: ({ model, where }) =>
            present.remove(
              model as AccountTable,
              where.map((one) => hashed(model, one)),
            ),
          async consumeOne<T>({ model, where }: { model: string; where: readonly Condition[] }) {
            const row = await present.take(
              model as AccountTable,
              where.map((one) => hashed(model, one)),
            )
            return (row ? await shown(model, row, where, key) : null) as T | null
          },
        }
      },
    })
  return (options: Parameters<ReturnType<typeof factoryOf>>[0]) =>
    factoryOf(rows, (work) => rows.transaction((inside) => work(factoryOf(inside, false)(options) as never)))(options)
}

/** As a row stands in its table. */
async function kept(model: string, row: Row, key: string): Promise<Row> {
  const fields = Object.entries(row).filter(([field]) => !NOT_KEPT[model as AccountTable].includes(field))
  const own: Record<string, unknown> = Object.fromEntries(fields)
  if (model === 'session' && typeof own['tokenHash'] === 'string') own['tokenHash'] = tokenHashOf(own['tokenHash'])
  const { value } = own
  if (model === 'oneTimeValue' && typeof value === 'string' && !USER_ID.test(value))
    own['value'] = await symmetricEncrypt({ key, data: value })
  return own
}

/** As the library knows a row, which asked for it by `where`. */
async function shown(model: string, row: Row, where: readonly Condition[], key: string): Promise<Row> {
  if (model === 'session')
    return { ...row, tokenHash: where.find(({ field }) => field === 'tokenHash')?.value ?? row['tokenHash'] }
  const { value } = row
  if (model === 'oneTimeValue' && typeof value === 'string' && !USER_ID.test(value))
    return { ...row, value: await symmetricDecrypt({ key, data: value }) }
  return row
}

function hashed(model: string, condition: Condition): Condition {
  const { field, value } = condition
  if (model !== 'session' || field !== 'tokenHash') return condition
  return { ...condition, value: Array.isArray(value) ? value.map(String).map(tokenHashOf) : tokenHashOf(String(value)) }
}

function tokenIn(row: Row): Condition[] {
  return [{ field: 'tokenHash', operator: 'eq', value: row['tokenHash'], connector: 'AND' }]
}

import type { Database, Session } from '../database.ts'

/**
 * The rows of accounts as a library for log-ins works on them: by the name of the table, whatever the fields. Its adapter says what is
 * hashed and encrypted; nothing here does. Every method may reject with DATABASE_UNAVAILABLE, and rejects with Prisma's own errors for
 * rows that break a rule of the tables.
 */
export interface AccountRows {
  create(table: AccountTable, row: Row): Promise<Row>
  find(table: AccountTable, where: readonly Condition[], slice: Slice): Promise<Row[]>
  count(table: AccountTable, where: readonly Condition[]): Promise<number>
  /** Resolves with the rows as they are now. */
  update(table: AccountTable, where: readonly Condition[], change: Row): Promise<Row[]>
  /** Resolves with how many there were. */
  remove(table: AccountTable, where: readonly Condition[]): Promise<number>
  /** Removes the oldest such row and resolves with it; of several who ask at once, one alone gets it. */
  take(table: AccountTable, where: readonly Condition[]): Promise<Row | null>
  /** All of `work` happens, or nothing. */
  transaction<T>(work: (rows: AccountRows) => Promise<T>): Promise<T>
}

export type AccountTable = 'user' | 'session' | 'login' | 'oneTimeValue' | 'twoFactor'
export type Row = Readonly<Record<string, unknown>>

/** All of them hold, but those that are joined by OR, of which one must. */
export interface Condition {
  readonly field: string
  readonly operator: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'in' | 'not_in' | 'contains' | 'starts_with' | 'ends_with'
  readonly value: unknown
  readonly connector: 'AND' | 'OR'
}

interface Slice {
  readonly limit: number
  readonly offset?: number
  readonly sortBy?: { readonly field: string; readonly direction: 'asc' | 'desc' }
}

/** `onChange` is called after each change of users and sessions that were there: what was known of credentials may be wrong now. */
export function accountRows(database: Database, onChange: () => void): AccountRows {
  return {
    ...watched(
      rowsOf((work) => database.run(work)),
      onChange,
    ),
    async transaction(work) {
      let isChanged = false
      try {
        return await database.transaction((session) => {
          const rows = watched(
            rowsOf((run) => run(session)),
            () => (isChanged = true),
          )
          const inside: AccountRows = { ...rows, transaction: (nested) => nested(inside) }
          return work(inside)
        })
      } finally {
        if (isChanged) onChange()
      }
    },
  }
}

function watched(rows: Omit<AccountRows, 'transaction'>, onChange: () => void): Omit<AccountRows, 'transaction'> {
  const told = <T>(table: AccountTable, work: Promise<T>) =>
    table === 'user' || table === 'session' ? work.finally(onChange) : work
  return {
    ...rows,
    update: (table, ...given) => told(table, rows.update(table, ...given)),
    remove: (table, ...given) => told(table, rows.remove(table, ...given)),
    take: (table, ...given) => told(table, rows.take(table, ...given)),
  }
}

/** What Prisma offers for each of these tables, in as far as it is needed here. */
interface Table {
  create(request: object): Promise<Row>
  findMany(request: object): Promise<Row[]>
  count(request: object): Promise<number>
  updateManyAndReturn(request: object): Promise<Row[]>
  deleteMany(request: object): Promise<{ count: number }>
}

function rowsOf(run: <T>(work: (session: Session) => Promise<T>) => Promise<T>): Omit<AccountRows, 'transaction'> {
  const on = <T>(table: AccountTable, work: (rows: Table) => Promise<T>) =>
    run((session) => work(session[table] as unknown as Table))
  return {
    create: (table, data) => on(table, (rows) => rows.create({ data })),
    find: (table, where, { limit, offset = 0, sortBy }) =>
      on(table, (rows) =>
        rows.findMany({
          where: clauseOf(where),
          take: limit,
          skip: offset,
          ...(sortBy && { orderBy: { [sortBy.field]: sortBy.direction } }),
        }),
      ),
    count: (table, where) => on(table, (rows) => rows.count({ where: clauseOf(where) })),
    update: (table, where, data) => on(table, (rows) => rows.updateManyAndReturn({ where: clauseOf(where), data })),
    remove: async (table, where) => (await on(table, (rows) => rows.deleteMany({ where: clauseOf(where) }))).count,
    take: (table, where) =>
      on(table, async (rows) => {
        const [oldest] = await rows.findMany({ where: clauseOf(where), orderBy: { id: 'asc' }, take: 1 })
        if (!oldest) return null
        const { count } = await rows.deleteMany({ where: { id: oldest['id'] } })
        return count === 1 ? oldest : null
      }),
  }
}

const OPERATORS = {
  eq: 'equals',
  ne: 'not',
  lt: 'lt',
  lte: 'lte',
  gt: 'gt',
  gte: 'gte',
  in: 'in',
  not_in: 'notIn',
  contains: 'contains',
  starts_with: 'startsWith',
  ends_with: 'endsWith',
} as const satisfies Record<Condition['operator'], string>

function clauseOf(conditions: readonly Condition[]): object {
  const joined = (connector: Condition['connector']) =>
    conditions
      .filter((condition) => condition.connector === connector)
      .map(({ field, operator, value }) => ({ [field]: { [OPERATORS[operator]]: value } }))
  const either = joined('OR')
  return { AND: joined('AND'), ...(either.length > 0 && { OR: either }) }
}

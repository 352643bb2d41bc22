#!/usr/bin/env node
/**
 * Prisma's schema engine without a download. The `prisma` command starts the program named by PRISMA_SCHEMA_ENGINE_BINARY
 * and speaks to it in JSON-RPC lines (or with `cli <command>`); this one answers with the official WebAssembly build of
 * the same engine, which reaches PostgreSQL through `pg`. The protocol is internal to Prisma: all versions are exact.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg'
import { Client } from 'pg'

const PRINT_TIMEOUT_MS = 2000
const CLEAN_UP_MS = 2000
const OID_CHAR = 18
const OID_TEXT = 25
const enginePath = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'))

const { flags, models, source } = readArguments(process.argv.slice(2))

function readArguments(args) {
  const flags = { version: false, command: null }
  const models = []
  let source = {}
  while (args.length > 0) {
    const flag = args.shift()
    if (flag === '--version') flags.version = true
    else if (flag === '--datamodels' || flag === '-d') models.push(args.shift())
    else if (flag === '--datasource') source = JSON.parse(args.shift())
    else if (flag === '--enabled-preview-features' || flag === '--extension-types') args.shift()
    else if (flag === 'cli') flags.command = args.shift()
  }
  return { flags, models, source }
}

// --- PostgreSQL ------------------------------------------------------------------------------------------------------

/** Prisma's URLs carry options of its own, which PostgreSQL would refuse. */
function readUrl(text) {
  const url = new URL(text)
  const schema = url.searchParams.get('schema') ?? 'public'
  for (const option of ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer', 'connect_timeout'])
    url.searchParams.delete(option)
  return { url: url.toString(), schema, database: decodeURIComponent(url.pathname.slice(1)) }
}

function otherDatabase(text, database) {
  const url = new URL(readUrl(text).url)
  url.pathname = `/${database}`
  return url.toString()
}

const quoted = (name) => `"${name.replaceAll('"', '""')}"`

async function query(url, sql) {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

/** Runs a statement about databases from a database that is surely another one. */
async function administer(text, sql) {
  try {
    await query(otherDatabase(text, 'postgres'), sql)
  } catch (error) {
    if (error.code !== '3D000') throw error
    await query(otherDatabase(text, 'template1'), sql)
  }
}

/** Shadow databases that exist now, by how to drop them. */
const shadows = new Set()
const dropShadows = () => Promise.allSettled([...shadows].map((drop) => drop()))

/** adapter-pg with one connection, because the engine's lock, search path and statements belong together. */
class MigrationAdapter extends PrismaPg {
  constructor() {
    const { url, schema } = readUrl(source.url)
    super({ connectionString: url, max: 1 }, { schema })
    this.schema = schema
  }

  async connect() {
    return mended(await super.connect())
  }

  /** adapter-pg would hand out the main database here. */
  async connectToShadowDb() {
    const made = source.shadowDatabaseUrl ? null : `prisma_migrate_shadow_db_${randomUUID()}`
    const url = made ? otherDatabase(source.url, made) : readUrl(source.shadowDatabaseUrl).url
    if (made) await administer(source.url, `CREATE DATABASE ${quoted(made)}`)
    else await query(url, `DROP SCHEMA IF EXISTS ${quoted(this.schema)} CASCADE; CREATE SCHEMA ${quoted(this.schema)}`)

    const adapter = mended(await new PrismaPg({ connectionString: url, max: 1 }, { schema: this.schema }).connect())
    const disconnect = adapter.dispose.bind(adapter)
    let dropped
    adapter.dispose = () => (dropped ??= drop())
    async function drop() {
      shadows.delete(adapter.dispose)
      await disconnect()
      if (made) await administer(source.url, `DROP DATABASE IF EXISTS ${quoted(made)} WITH (FORCE)`)
    }
    shadows.add(adapter.dispose)
    return adapter
  }
}

/** Two things adapter-pg 7.10.0 can't do: columns of type "char" (all over pg_catalog), and scripts whose bodies hold a semicolon. */
function mended(adapter) {
  const performIO = adapter.performIO.bind(adapter)
  const queryRaw = adapter.queryRaw
  adapter.queryRaw = async (statement) => {
    const characters = []
    const reading = Object.create(adapter, {
      performIO: {
        value: async (input) => {
          const result = await performIO(input)
          for (const [index, field] of result.fields.entries()) {
            if (field.dataTypeID !== OID_CHAR) continue
            characters.push(index)
            field.dataTypeID = OID_TEXT
          }
          return result
        },
      },
    })
    const result = await queryRaw.call(reading, statement)
    for (const index of characters) result.columnTypes[index] = ColumnTypeEnum.Character
    return result
  }
  adapter.executeScript = (script) =>
    adapter
      .underlyingDriver()
      .query(script)
      .then(
        () => {},
        (error) => adapter.onError(error),
      )
  return adapter
}

/** A comparison of two schema files needs no database: only the engine's question for the version is answered. */
const refuse = () => Promise.reject(new Error('This command needs a database'))
const nowhere = {
  provider: 'postgres',
  adapterName: 'nowhere',
  connectToShadowDb: refuse,
  connect: async () => ({
    provider: 'postgres',
    adapterName: 'nowhere',
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    executeRaw: refuse,
    startTransaction: refuse,
    executeScript: async () => {},
    dispose: async () => {},
    queryRaw: async () => ({
      columnNames: ['exists', 'version', 'numeric_version'],
      columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
      rows: [[true, 'PostgreSQL 18.0', 180_000]],
    }),
  }),
}

// --- The engine ------------------------------------------------------------------------------------------------------

globalThis.PRISMA_WASM_PANIC_REGISTRY = {
  message: '',
  set_message(message) {
    this.message = message
  },
}

async function loadEngine(factory) {
  const binary = new WebAssembly.Module(readFileSync(enginePath.replace(/\.js$/, '.wasm')))
  const { exports } = new WebAssembly.Instance(binary, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  const datamodels = models.length > 0 ? models.map((path) => [path, readFileSync(path, 'utf8')]) : undefined
  return glue.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(factory))
}

let loaded
const engine = () => (loaded ??= loadEngine(new MigrationAdapter()))

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const printed = new Map()

/** Has the command line print something, and waits for its word that it did. */
async function print(content) {
  const id = randomUUID()
  const answered = new Promise((done) => {
    printed.set(id, done)
    setTimeout(done, PRINT_TIMEOUT_MS).unref()
  })
  send({ id, method: 'print', params: { content } })
  await answered
  printed.delete(id)
}

const methods = {
  async createDatabase() {
    const { database } = readUrl(source.url)
    await administer(source.url, `CREATE DATABASE ${quoted(database)}`)
    return { databaseName: database }
  },
  async getDatabaseVersion(params) {
    return (await engine()).version(params)
  },
  async diff(params) {
    const offline = [params.from, params.to].every(({ tag }) => tag === 'empty' || tag === 'schemaDatamodel')
    const { stdout, exitCode } = await (offline ? await loadEngine(nowhere) : await engine()).diff(params)
    if (stdout !== null && stdout !== undefined) await print(stdout)
    return { exitCode }
  },
  async dbExecute({ script, datasourceType }) {
    await query(readUrl(source.url ?? datasourceType.url).url, script)
  },
}

async function answer({ id, method, params }) {
  try {
    const result = methods[method] ? await methods[method](params) : await (await engine())[method](params)
    send({ id, result: result ?? {} })
  } catch (error) {
    const data = {
      is_panic: false,
      message: error.message ?? String(error),
      meta: error.meta ?? null,
      error_code: error.code ?? null,
    }
    send({ id, error: { code: 4466, message: 'An error happened. Check the data field for details.', data } })
  }
}

function serve() {
  let last = Promise.resolve()
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
  lines.on('line', (line) => {
    if (line.trim() === '') return
    const message = JSON.parse(line)
    if (message.method) last = last.then(() => answer(message))
    else printed.get(message.id)?.()
  })
  lines.on('close', () => last.then(leave))
}

async function leave() {
  await dropShadows()
  process.exit(0)
}

// --- `cli <command>` -------------------------------------------------------------------------------------------------

const commands = {
  'can-connect-to-database': () => query(readUrl(source.url).url, 'SELECT 1'),
  'create-database': () => administer(source.url, `CREATE DATABASE ${quoted(readUrl(source.url).database)}`),
  'drop-database': () => administer(source.url, `DROP DATABASE IF EXISTS ${quoted(readUrl(source.url).database)}`),
}
const prismaCodes = { '3D000': 'P1003', ECONNREFUSED: 'P1001', ENOTFOUND: 'P1001', '28P01': 'P1000', '42P04': 'P1009' }

async function runCommand(name) {
  try {
    await commands[name]()
  } catch (error) {
    const code = prismaCodes[error.code]
    const message =
      code === 'P1003' ? `Database \`${readUrl(source.url).database}\` does not exist` : error.message || String(error.code)
    const fields = { message, ...(code && { error_code: code }) }
    process.stderr.write(
      `\n${JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', fields, target: 'schema_engine::logger' })}\n`,
    )
    process.exitCode = 1
  }
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`PANIC ${globalThis.PRISMA_WASM_PANIC_REGISTRY.message}\n${error.stack}\n`)
  setTimeout(() => process.exit(101), CLEAN_UP_MS)
  void dropShadows()
})
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, leave)

if (flags.version)
  console.log(`schema-engine-wasm ${JSON.parse(readFileSync(enginePath.replace(/[^/]+$/, 'package.json'), 'utf8')).version}`)
else if (flags.command) await runCommand(flags.command)
else serve()

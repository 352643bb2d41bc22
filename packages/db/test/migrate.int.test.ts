import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { runCommand, silentLogger } from '@skipcast/runtime'
import { migrate } from '../src/migrate.ts'
import { testDatabase } from '../src/testing/test-database.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const logger = silentLogger()

async function prisma(args: string[], url: string): Promise<string> {
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, DATABASE_URL: url, HOME: tmpdir() }
  const { stdout } = await runCommand(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), ...args], {
    timeoutMs: 60_000,
    cwd: root,
    env,
  })
  return stdout.toString('utf8')
}

async function directoryOf(scripts: Record<string, string>): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'skipcast-migrations-'))
  for (const [name, script] of Object.entries(scripts)) {
    await mkdir(join(path, name))
    await writeFile(join(path, name, 'migration.sql'), script)
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

test('the committed migrations give exactly the schema', async () => {
  await using database = await testDatabase({ empty: true })
  const args = ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema.prisma', '--exit-code']
  await expect(prisma(args, database.url)).resolves.toMatch(/No difference detected/)
}, 60_000)

test('Prisma Migrate finds nothing left to do after our runner', async () => {
  await using database = await testDatabase({ empty: true })
  await migrate(database.url, { logger })
  await expect(prisma(['migrate', 'status'], database.url)).resolves.toMatch(/up to date/)
}, 60_000)

test('our runner finds nothing left to do after Prisma Migrate', async () => {
  await using database = await testDatabase({ empty: true })
  await prisma(['migrate', 'deploy'], database.url)
  await expect(migrate(database.url, { logger })).resolves.toEqual([])
}, 60_000)

test('of two runners at once, one applies everything and the other nothing', async () => {
  await using database = await testDatabase({ empty: true })
  const applied = await Promise.all([migrate(database.url, { logger }), migrate(database.url, { logger })])
  expect(applied).toContainEqual([])
  expect(applied).toContainEqual(expect.arrayContaining(['20251121000000_init', '20251121060000_history']))
})

test('a migration that fails leaves nothing, and can be mended', async () => {
  await using database = await testDatabase({ empty: true })
  await using broken = await directoryOf({
    '1_first': 'CREATE TABLE one (id int);',
    '2_second': 'CREATE TABLE two (id int); SELECT 1 / 0;',
  })
  await expect(migrate(database.url, { logger, directory: broken.path })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/2_second.*division by zero/),
  })
  await using mended = await directoryOf({ '1_first': 'CREATE TABLE one (id int);', '2_second': 'CREATE TABLE two (id int);' })
  await expect(migrate(database.url, { logger, directory: mended.path })).resolves.toEqual(['2_second'])
})

test('a database that is not there is told as such', async () => {
  await expect(migrate('postgresql://nobody:x@127.0.0.1:1/none', { logger })).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  })
})

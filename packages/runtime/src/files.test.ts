import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pathIn, readFileIfThere, writeFileAtomic } from './files.ts'
import { openHome, portIsFree } from './home.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skipcast-files-'))
  await chmod(directory, 0o711)
})
afterEach(() => rm(directory, { recursive: true }))

describe('files', () => {
  test('a file is replaced as a whole, 0600, and no draft stays', async () => {
    const path = join(directory, 'state.json')
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, 'two')
    expect(await readFileIfThere(path)).toBe('two')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['state.json'])
  })

  test.each(['..', '../x', 'a/b', '.hidden', '', 'nul\0', 'x'.repeat(201)])('%j is no file name (A5)', (name) => {
    expect(() => pathIn('/srv', name)).toThrow(RangeError)
  })
})

const asRoot = process.getuid?.() === 0 ? test : test.skip

describe('the home', () => {
  asRoot('is a link to where children can come, if they could not come where it was wished', async () => {
    const closed = join(directory, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const home = await openHome(join(closed, 'home'), join(directory, 'elsewhere'))
    expect(home.path).toMatch(/\/elsewhere\/home-[0-9a-f]{12}$/)
    await writeFile(join(closed, 'home', 'note'), 'here')
    expect((await openHome(join(closed, 'home'))).path).toBe(home.path)
    expect(await readFileIfThere(join(home.path, 'note'))).toBe('here')
  })

  test('gives the same secret and port to all who ask at once, and keeps secrets 0600', async () => {
    const home = await openHome(join(directory, 'home'))
    const secrets = await Promise.all(Array.from({ length: 20 }, () => home.secret('signing-key')))
    expect(new Set(secrets).size).toBe(1)
    expect(secrets[0]).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect((await stat(join(home.path, 'secrets', 'signing-key'))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(home.path, 'secrets'))).toEqual(['signing-key'])
    const port = await home.port('kafka')
    expect(await (await openHome(home.path)).port('kafka')).toBe(port)
    expect(await portIsFree(port, '127.0.0.1')).toBe(true)
  })
})

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { epochFiles } from './epoch-files.ts'

describe('epochFiles', () => {
  let directory: string
  beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'skipcast-epochs-'))))
  afterEach(() => rm(directory, { recursive: true }))

  test('remembers the highest epoch, over a restart too, and never goes back', async () => {
    const store = epochFiles(directory)
    expect(await store.highest('c1', '/a')).toBeNull()
    await store.raise('c1', '/a', 5)
    await store.raise('c1', '/a', 3)
    expect(await store.highest('c1', '/a')).toBe(5)
    expect(await epochFiles(directory).highest('c1', '/a')).toBe(5)
    expect(await readdir(directory)).toEqual(['c1'])
  })

  test('counts each mount of a channel for itself; what was known when there was one counts for the first', async () => {
    await writeFile(join(directory, 'c1'), '4\n')
    const store = epochFiles(directory)
    await store.raise('c1', '/w/a', 7)
    expect([await store.highest('c1', '/a'), await store.highest('c1', '/w/a')]).toEqual([4, 7])
    const next = epochFiles(directory)
    expect([await next.highest('c1', '/renamed'), await next.highest('c1', '/w/renamed')]).toEqual([4, 7])
  })

  test('a file that holds no epoch lets nothing pass for one', async () => {
    await writeFile(join(directory, 'c1'), 'NaN')
    await expect(epochFiles(directory).highest('c1', '/a')).rejects.toThrow('holds no epoch')
    await expect(epochFiles(directory).raise('c1', '/a', 9)).rejects.toThrow('holds no epoch')
  })

  test.each(['../c1', '.', '', 'a/b', '-c', 'c1.w'])('%j is no name of a file', async (channelId) => {
    await expect(epochFiles(directory).highest(channelId, '/a')).rejects.toThrow(RangeError)
  })
})

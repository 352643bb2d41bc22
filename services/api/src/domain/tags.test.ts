import { expect, test } from '@jest/globals'
import { originalName, readTags } from './tags.ts'

test('tags are found in any case', () => {
  expect(readTags({ TITLE: 'T', Artist: 'A', album: 'L' }, 'x.mp3')).toEqual({ title: 'T', artist: 'A', album: 'L' })
})

test('a piece without a title is called like its file', () => {
  expect(readTags({}, 'My Song.flac')).toEqual({ title: 'My Song', artist: '', album: '' })
  expect(readTags({ title: ' \n ' }, '').title).toBe('Untitled')
})

test('tags of a stranger lose their control characters and their length', () => {
  const { title, artist } = readTags({ title: 'a\r\nprocess:x', artist: 'é'.repeat(5000) }, 'x')
  expect(title).toBe('a process:x')
  expect(Array.from(artist)).toHaveLength(200)
})

test('tags that are no text do not count', () => {
  expect(readTags({ title: 5, artist: { a: 1 } }, 'x.mp3')).toEqual({ title: 'x', artist: '', album: '' })
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\music\\a.mp3', 'a.mp3'],
  ['a\0b.mp3', 'a b.mp3'],
  ['..', '..'],
])('A5: the original name %j is kept as %j, for people to read', (given, kept) => {
  expect(originalName(given)).toBe(kept)
})

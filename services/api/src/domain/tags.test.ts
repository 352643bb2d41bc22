import { expect, test } from '@jest/globals'
import { originalName, readTags, titleOf } from './tags.ts'

const none = { artist: '', album: '', genre: '', year: '', track: null }

test('the tags of a file become what a piece is called', () => {
  const tags = { title: 'T', artist: 'A', album: 'L', genre: 'G', date: '2025-11-22', track: '3/12' }
  expect(readTags(tags, { title: 'x' })).toEqual({ title: 'T', artist: 'A', album: 'L', genre: 'G', year: '2025', track: 3 })
})

test('a piece without a title is called like its file', () => {
  expect(titleOf('My Song.flac')).toBe('My Song')
  expect(titleOf('')).toBe('Untitled')
  expect(readTags({}, { title: 'My Song' })).toEqual({ title: 'My Song', ...none })
  expect(readTags({ title: ' \n ' }, { title: 'My Song' }).title).toBe('My Song')
})

test('tags of a stranger lose their control characters and their length', () => {
  const { title, artist } = readTags({ title: 'a\r\nprocess:x', artist: 'é'.repeat(5000) }, { title: 'x' })
  expect(title).toBe('a process:x')
  expect(Array.from(artist)).toHaveLength(200)
})

test('years and numbers that are none do not count', () => {
  expect(readTags({ date: 'soon', track: 'A1' }, { title: 'x' })).toEqual({ title: 'x', ...none })
})

test.each([
  ['../../etc/passwd', 'passwd'],
  ['C:\\music\\a.mp3', 'a.mp3'],
  ['a\0b.mp3', 'a b.mp3'],
  ['..', '..'],
])('A5: the original name %j is kept as %j, for people to read', (given, kept) => {
  expect(originalName(given)).toBe(kept)
})

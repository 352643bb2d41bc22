import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isSlug, slugFor } from './slug.ts'

test('a slug says the name as far as a to z can', () => {
  expect(slugFor('Café del Mar!', 'abc123')).toBe('cafe-del-mar-abc123')
  expect(slugFor('  ÀÉÎ  ', 'abc123')).toBe('aei-abc123')
})

test('a name without any such letter still gives a slug', () => {
  expect(slugFor('ラジオ 📻', 'abc123')).toBe('channel-abc123')
})

test('whatever the name, the slug is a slug', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => isSlug(slugFor(name, 'abc123'))))
})

test.each(['../x', 'a/b', '-a', 'A', 'a b', '', 'a'.repeat(101), 'a\n', '%2e', 'admin', 'w'])('A5: %j is no slug', (text) => {
  expect(isSlug(text)).toBe(false)
})

test('what looks like an id is no slug, so that a name can never stand for another channel', () => {
  expect(isSlug('01a1fc63-3706-72df-b1e5-95ec58becb4d')).toBe(false)
})

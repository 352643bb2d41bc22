import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { signSourceToken, verifySourceToken } from './source-token.ts'

const key = 'k'.repeat(43)
const claim = { channelId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000', mount: '/demo', epoch: 7 }

describe('a source token', () => {
  test('proves its channel, mount and epoch', () => {
    expect(verifySourceToken(key, '/demo', signSourceToken(key, claim))).toEqual(claim)
  })

  test('is worth nothing on another mount or under another key', () => {
    const token = signSourceToken(key, claim)
    expect(verifySourceToken(key, '/other', token)).toBeNull()
    expect(verifySourceToken(`${key}2`, '/demo', token)).toBeNull()
  })

  test('is worth nothing after any change of one character', () => {
    const token = signSourceToken(key, claim)
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(token[at] !== character)
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect(verifySourceToken(key, '/demo', changed)).toBeNull()
      }),
    )
  })

  test('no text makes the check throw', () => {
    fc.assert(fc.property(fc.string(), (text) => verifySourceToken(key, '/demo', text) === null))
  })

  test('stays far below what Icecast takes as a password', () => {
    expect(signSourceToken(key, claim).length).toBeLessThan(200)
  })
})

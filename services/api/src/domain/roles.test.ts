import { expect, test } from '@jest/globals'
import { allPermissions, isInScope, mayGrant, mayHandOn, needsSession, reachOf } from './roles.ts'

const roles = ['listener', 'dj', 'admin'] as const

test('A13: no role grants what it lacks', () => {
  const granted = roles.map((giver) => roles.filter((role) => mayGrant(giver, role)))
  expect(granted).toEqual([['listener'], ['listener', 'dj'], ['listener', 'dj', 'admin']])
})

test('A13: each role reaches at least as far as those before it', () => {
  const order = ['none', 'own', 'any']
  for (const permission of allPermissions) {
    const reaches = roles.map((role) => order.indexOf(reachOf(role, permission)))
    expect({ permission, reaches }).toEqual({ permission, reaches: reaches.toSorted((a, b) => a - b) })
  }
})

test('the matrix: what each role may do, and to what', () => {
  const may = (role: (typeof roles)[number], reach: string) => allPermissions.filter((each) => reachOf(role, each) === reach)
  expect(may('listener', 'any')).toEqual(['channels:like', 'reviews:create', 'metrics:read'])
  expect(may('listener', 'own')).toEqual([
    'channels:read',
    'reviews:delete',
    'media:read',
    'media:change',
    'media:delete',
    'media:like',
    'tokens:read',
    'tokens:create',
    'tokens:revoke',
    'account:read',
    'account:export',
    'account:change',
    'account:delete',
    'session:end',
  ])
  expect(may('dj', 'none')).toEqual(allPermissions.filter((each) => /^(genres|servers|users):|^media:sweep$/.test(each)))
  expect(may('admin', 'none')).toEqual([])
  expect(may('admin', 'own')).toEqual(['account:read', 'account:export', 'account:change', 'account:delete', 'session:end'])
})

test('a token is good for its scopes, and to end itself; what takes an account over needs a session', () => {
  expect(allPermissions.filter((each) => isInScope(['media:read'], each))).toEqual(['media:read', 'session:end'])
  expect(allPermissions.filter((each) => isInScope(null, each))).toEqual(allPermissions)
  expect(allPermissions.filter(needsSession)).toEqual(['account:export', 'account:change', 'account:delete'])
})

test.each([
  [null, null, true],
  [null, ['media:read'], true],
  [['media:read'], ['media:read'], true],
  [['media:read'], [], true],
  [['media:read'], ['tokens:read'], false],
  [['media:read'], null, false],
])('A13: a token with %j that makes one with %j: %s', (own, given, isAllowed) => {
  expect(mayHandOn(own, given)).toBe(isAllowed)
})

import { expect, test } from '@jest/globals'
import { newId } from '../src/new-id.ts'
import { testStores } from './test-stores.ts'

const given = testStores()

test('a token works until it expires, is revoked or replaced, and is stored as a hash', async () => {
  const { accounts } = given.stores
  const { secret: token } = await accounts.createToken(given.owner.id, 'one')
  expect(token).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect((await accounts.identify(token))?.user).toEqual(given.owner)
  const stored = await given.server.query<{ token_hash: string; last_used_at: Date | null }>(
    'SELECT token_hash, last_used_at FROM api_tokens',
  )
  expect(JSON.stringify(stored)).not.toContain(token.slice(3))
  expect(stored[0]!.last_used_at).not.toBeNull()

  const { secret: newer } = await accounts.createToken(given.owner.id, 'one', { replace: true })
  expect(await accounts.identify(token)).toBeNull()
  expect((await accounts.identify(newer))?.user).toEqual(given.owner)
  const { secret: expired } = await accounts.createToken(given.owner.id, 'two', { expiresAt: new Date(Date.now() - 1) })
  expect(await accounts.identify(expired)).toBeNull()
  expect(await accounts.identify('sk_unknown')).toBeNull()
})

test('a token that was just used is revoked at once, and its user’s new role counts at once', async () => {
  const { accounts } = given.stores
  await accounts.createUser({ username: newId(), role: 'admin' })
  const token = await accounts.createToken(given.owner.id, 'one')
  expect(await accounts.identify(token.secret)).toMatchObject({ user: { role: 'dj' } })
  await accounts.changeUser(given.owner.id, { role: 'listener' })
  expect(await accounts.identify(token.secret)).toMatchObject({ user: { role: 'listener' } })
  await accounts.revokeToken(token.id)
  expect(await accounts.identify(token.secret)).toBeNull()
})

import { expect, test } from '@jest/globals'
import { accountRows, type Condition } from '../src/stores/account-rows.ts'
import { tokenHashOf } from '../src/stores/tokens.ts'
import { testStores } from './test-stores.ts'

const given = testStores()
const is = (field: string, value: unknown): Condition => ({ field, operator: 'eq', value, connector: 'AND' })
const later = () => new Date(Date.now() + 60_000)

test('of many who take one row at once, one alone gets it', async () => {
  const { accountRows } = given.stores
  await accountRows.create('oneTimeValue', { id: 'one', identifier: 'link', value: 'x', expiresAt: later() })
  const taken = await Promise.all(Array.from({ length: 8 }, () => accountRows.take('oneTimeValue', [is('identifier', 'link')])))
  expect(taken.filter((row) => row !== null)).toMatchObject([{ id: 'one' }])
})

test('what fails half way leaves nothing, and what was known of credentials is looked up again', async () => {
  const { accounts, accountRows } = given.stores
  const begin = { userId: given.owner.id, expiresAt: later() }
  await accountRows.create('session', { id: 's', tokenHash: tokenHashOf('token'), ...begin })
  expect(await accounts.identify('token')).toMatchObject({
    user: { id: given.owner.id },
    credential: { kind: 'session', id: 's' },
  })
  const failing = accountRows.transaction(async (rows) => {
    await rows.remove('session', [is('id', 's')])
    await rows.transaction((nested) => nested.create('login', { id: 'l', userId: 'nobody', providerId: 'p', accountId: 'a' }))
  })
  await expect(failing).rejects.toThrow()
  expect(await accounts.identify('token')).not.toBeNull()
  await accountRows.transaction((rows) => rows.update('session', [is('id', 's')], { expiresAt: new Date(Date.now() - 1) }))
  expect(await accounts.identify('token')).toBeNull()
  await accountRows.update('session', [is('id', 's')], { expiresAt: later() })
  expect(await accounts.identify('token')).not.toBeNull()
  await accountRows.remove('session', [is('userId', given.owner.id)])
  expect(await accounts.identify('token')).toBeNull()
})

test('a log-in that fails, or that begins another session, makes nobody be looked up again', async () => {
  let changes = 0
  const rows = accountRows(given.database, () => (changes += 1))
  await rows.transaction(async (inside) => {
    await inside.create('oneTimeValue', { id: 'x', identifier: 'x', value: 'x', expiresAt: later() })
    await inside.remove('oneTimeValue', [is('id', 'x')])
    await inside.create('session', { id: 's', tokenHash: 'h', userId: given.owner.id, expiresAt: later() })
  })
  expect(changes).toBe(0)
  await rows.transaction((inside) => inside.remove('session', [is('id', 's')]))
  await rows.update('user', [is('id', given.owner.id)], { name: 'Renamed' })
  expect(changes).toBe(2)
})

test('conditions are joined as they say', async () => {
  const { accountRows } = given.stores
  for (const [id, value] of Object.entries({ a: '1', b: '2', c: '3' }))
    await accountRows.create('oneTimeValue', { id, identifier: id, value, expiresAt: later() })
  const found = async (...where: Condition[]) =>
    (await accountRows.find('oneTimeValue', where, { limit: 9, sortBy: { field: 'id', direction: 'desc' } })).map(({ id }) => id)
  expect(await found({ ...is('value', ['1', '3']), operator: 'in' })).toEqual(['c', 'a'])
  expect(await found({ ...is('id', 'a'), connector: 'OR' }, { ...is('id', 'b'), connector: 'OR' })).toEqual(['b', 'a'])
  expect(await found({ ...is('id', 'a'), operator: 'gt' }, { ...is('value', '3'), operator: 'ne' })).toEqual(['b'])
  expect(await accountRows.count('oneTimeValue', [])).toBe(3)
})

test('a registration goes when nobody confirmed it in time; one that was confirmed, and who an admin made, stay', async () => {
  const { accounts } = given.stores
  const register = (id: string) =>
    accounts.createUser({ username: id, role: 'listener', registration: { id, name: '', confirmBy: new Date(Date.now() - 1) } })
  await register('late')
  await register('confirmed')
  await given.server.query(`UPDATE users SET email = id || '@radio.test' WHERE id = 'confirmed'`)
  await accounts.confirmEmail('confirmed')
  await accounts.forgetExpired(new Date())
  await accounts.dropRegistration('confirmed')
  const left = await Promise.all(['late', 'confirmed', given.owner.id].map((id) => accounts.findAccount(id)))
  expect(left.map((account) => account?.id)).toEqual([undefined, 'confirmed', given.owner.id])
})

test('nothing speaks for a user who was deleted, and the only administrator stays', async () => {
  const { accounts, accountRows } = given.stores
  const { secret } = await accounts.createToken(given.owner.id, 'one')
  await accountRows.create('session', { id: 's', tokenHash: tokenHashOf('token'), userId: given.owner.id, expiresAt: later() })
  await accounts.deleteUser(given.owner.id)
  expect([await accounts.identify(secret), await accounts.identify('token'), await accounts.findAccount(given.owner.id)]).toEqual(
    [null, null, null],
  )
  await expect(accounts.createToken(given.owner.id, 'two')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(accounts.changeUser(given.owner.id, { role: 'admin' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const admin = await accounts.createUser({ username: 'admin', role: 'admin' })
  await expect(accounts.deleteUser(admin.id)).rejects.toMatchObject({ code: 'CONFLICT' })
})

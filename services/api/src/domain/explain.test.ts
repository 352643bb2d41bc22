import { expect, test } from '@jest/globals'
import { explain } from './explain.ts'
import type { Placeable, Server } from './server.ts'

const server = (id: string, fields: Partial<Server> = {}): Server => ({
  id,
  state: 'open',
  labels: {},
  capacity: 10,
  load: 0,
  ...fields,
})
const channel: Placeable = { id: 'c', cost: 5, replicas: 1, labels: {}, pin: null, primary: null, standby: null, awaits: null }
const told = (asked: Partial<Placeable>, ...servers: Server[]) =>
  Object.fromEntries(explain({ ...channel, ...asked }, servers).map(({ server: { id }, refusals }) => [id, refusals]))

test('each server that can not have a channel says why, all reasons at once', () => {
  expect(told({}, server('free'), server('full', { load: 6 }), server('lost', { state: 'lost', load: 9 }))).toEqual({
    free: [],
    full: ['it is full: it carries 6 of 10, and the channel costs 5'],
    lost: ['it is not heard any more', 'it is full: it carries 9 of 10, and the channel costs 5'],
  })
  expect(told({ labels: { region: 'eu', disk: 'ssd' } }, server('a', { labels: { region: 'us' } }))).toEqual({
    a: ['it has no label disk, not disk=ssd', 'it has region=us, not region=eu'],
  })
  expect(told({ pin: 'b' }, server('a'), server('b'))).toEqual({ a: ['the channel is pinned to b'], b: [] })
})

test('the server that has it is not too full for what it carries already', () => {
  expect(told({ primary: 'a' }, server('a', { load: 10 }))).toEqual({ a: [] })
})

test('those that have it come first, then those that could, the emptiest first', () => {
  const servers = [server('full', { load: 9 }), server('b', { load: 4 }), server('a', { load: 1 }), server('two'), server('one')]
  const order = explain({ ...channel, replicas: 2, primary: 'one', standby: 'two' }, servers)
  expect(order.map(({ server: { id }, has }) => `${id} ${has}`)).toEqual([
    'one primary',
    'two standby',
    'a null',
    'b null',
    'full null',
  ])
})

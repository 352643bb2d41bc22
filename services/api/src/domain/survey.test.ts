import { expect, test } from '@jest/globals'
import type { ServerSight } from './stream-view.ts'
import { survey, type Books } from './survey.ts'

const HALF = 50
const known = (...ids: string[]) => ids.map((id) => ({ id, capacity: 10, labels: {}, heard: 0, cutOffMs: 0 }))
const seen =
  (sights: Record<string, ServerSight['kind']>) =>
  (id: string): ServerSight => {
    const kind = sights[id] ?? 'silent'
    return kind === 'silent' ? { kind, since: 0 } : { kind }
  }
const placed = (...ids: string[]): Books['placed'] =>
  ids.map((serverId) => ({ serverId, mode: 'copy', format: 'mp3', channels: 1 }))
const states = (books: Books, ids: string[], sights: Record<string, ServerSight['kind']>, most = HALF) =>
  Object.fromEntries(survey(known(...ids), seen(sights), books, most).servers.map(({ id, state }) => [id, state]))

test('a server is open, draining, lost, or nobody can say', () => {
  const sights = { a: 'heard', b: 'heard', c: 'silent', d: 'unknown' } as const
  const books = { placed: placed('c', 'd'), drained: ['b', 'c', 'd'] }
  expect(states(books, ['a', 'b', 'c', 'd'], sights)).toEqual({ a: 'open', b: 'draining', c: 'lost', d: 'unsure' })
})

test('a server that never told of itself and has channels is one too', () => {
  expect(states({ placed: placed('ghost'), drained: [] }, ['a', 'b'], { a: 'heard', b: 'heard' })).toMatchObject({
    ghost: 'lost',
  })
})

test('what channels cost is summed by what they do', () => {
  const books: Books = {
    placed: [
      { serverId: 'a', mode: 'copy', format: 'mp3', channels: 3 },
      { serverId: 'a', mode: 'encode', format: 'mp3', channels: 2 },
    ],
    drained: [],
  }
  const [a] = survey(known('a'), seen({ a: 'heard' }), books, HALF).servers
  expect(a!.load).toBeGreaterThan(3 + 2)
})

test('when more than the share of the servers falls silent at once, none is given up, and it is said why', () => {
  const books = { placed: placed('a', 'b', 'c'), drained: [] }
  const heard = { d: 'heard', e: 'heard' } as const
  const found = survey(known('a', 'b', 'c', 'd', 'e'), seen(heard), books, HALF)
  expect(found.servers.filter(({ state }) => state === 'unsure').map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(found.problem).toMatch(/3 of 5 servers.*FAILOVER_MAX_SILENT_PERCENT/)
  expect(survey(known('a', 'b', 'c', 'd', 'e'), seen(heard), books, 60).problem).toBeNull()
  expect(states(books, ['a', 'b', 'c', 'd', 'e'], heard, 100)).toMatchObject({ a: 'lost', b: 'lost', c: 'lost' })
})

test('one silent server is given up, however few there are, and those that have nothing do not count', () => {
  expect(states({ placed: placed('a'), drained: [] }, ['a', 'b'], { b: 'heard' })).toEqual({ a: 'lost', b: 'open' })
  const old = ['x', 'y', 'z']
  expect(survey(known('a', ...old), seen({ a: 'heard' }), { placed: placed('a'), drained: [] }, HALF).problem).toBeNull()
})

test('a server that does not reach Icecast is lost where others are heard there, and else it is Icecast that is away', () => {
  const all = (othersHeard: number, cutOffMs = 6000) => {
    const [a, b, c] = known('a', 'b', 'c')
    const servers = [{ ...a!, cutOffMs }, { ...b!, heard: othersHeard }, c!]
    const found = survey(servers, () => ({ kind: 'heard' }), { placed: placed('a', 'b'), drained: [] }, HALF)
    return found.servers.map(({ state }) => state)
  }
  expect(all(3)).toEqual(['lost', 'open', 'open'])
  expect(all(0)).toEqual(['open', 'open', 'open'])
  expect(all(3, 2000)).toEqual(['open', 'open', 'open'])
})

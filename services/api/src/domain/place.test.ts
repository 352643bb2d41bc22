import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { place, type Move, type Server, type Unplaced } from './place.ts'

const servers = fc.uniqueArray(fc.record({ id: fc.nat(99).map((n) => `s${n}`), capacity: fc.nat(20), load: fc.nat(20) }), {
  selector: (server) => server.id,
  maxLength: 12,
})
const channels = fc.uniqueArray(fc.record({ id: fc.nat(999).map((n) => `c${n}`), cost: fc.constantFrom(1, 8) }), {
  selector: (channel) => channel.id,
  maxLength: 40,
})
const chance = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
const drawing = (stream: Iterator<number>) => () => stream.next().value as number

function after(all: readonly Server[], needs: readonly Unplaced[], moves: readonly Move[]): Server[] {
  const costs = new Map(needs.map(({ id, cost }) => [id, cost]))
  return all.map((server) => {
    const taken = moves.filter((move) => move.serverId === server.id).reduce((sum, move) => sum + costs.get(move.channelId)!, 0)
    return { ...server, load: server.load + taken }
  })
}

test('no server ever gets more than it can carry', () => {
  fc.assert(
    fc.property(channels, servers, chance, (needs, all, stream) => {
      const before = new Map(all.map((server) => [server.id, server.load]))
      for (const { id, load, capacity } of after(all, needs, place(needs, all, drawing(stream)))) {
        expect(load === before.get(id) || load <= capacity).toBe(true)
      }
    }),
  )
})

test('each channel moves at most once, to a server that is there', () => {
  fc.assert(
    fc.property(channels, servers, chance, (needs, all, stream) => {
      const moves = place(needs, all, drawing(stream))
      expect(new Set(moves.map((move) => move.channelId)).size).toBe(moves.length)
      for (const move of moves) expect(all.some((server) => server.id === move.serverId)).toBe(true)
    }),
  )
})

test('after a plan is carried out, planning again finds nothing to do', () => {
  fc.assert(
    fc.property(channels, servers, chance, (needs, all, stream) => {
      const moves = place(needs, all, drawing(stream))
      const placed = new Set(moves.map((move) => move.channelId))
      const rest = needs.filter(({ id }) => !placed.has(id))
      expect(place(rest, after(all, needs, moves), drawing(stream))).toEqual([])
    }),
  )
})

test('of two servers the emptier one is chosen', () => {
  const moves = place(
    [{ id: 'a', cost: 1 }],
    [
      { id: 'fuller', capacity: 10, load: 5 },
      { id: 'emptier', capacity: 100, load: 10 },
    ],
    Math.random,
  )
  expect(moves).toEqual([{ channelId: 'a', serverId: 'emptier' }])
})

test('many channels spread over many servers without piling up', () => {
  const all = Array.from({ length: 50 }, (_, i) => ({ id: `s${i}`, capacity: 100, load: 0 }))
  const needs = Array.from({ length: 1000 }, (_, i) => ({ id: `c${i}`, cost: 1 }))
  const loads = after(all, needs, place(needs, all, Math.random)).map((server) => server.load)
  expect(loads.reduce((sum, load) => sum + load, 0)).toBe(1000)
  expect(Math.max(...loads)).toBeLessThan(30) // 20 each on average; by pure chance the fullest would have some 32
})

test('a channel that fits nowhere gets no move, and smaller ones after it still do', () => {
  const moves = place(
    [
      { id: 'big', cost: 8 },
      { id: 'small', cost: 1 },
    ],
    [{ id: 's', capacity: 4, load: 0 }],
    Math.random,
  )
  expect(moves).toEqual([{ channelId: 'small', serverId: 's' }])
})

import { describe, expect, test } from '@jest/globals'
import { array, assert, constantFrom, property, record } from 'fast-check'
import { moveReplicas, otherMount, type Replicas } from './replicas.ts'

const begun: Replicas = { serverId: null, epoch: 0, primaryMount: 'own', standbyServerId: null, standbyEpoch: 0 }
const move = (now: Replicas, serverId: string | null, standbyServerId: string | null = null) =>
  moveReplicas(now, { serverId, standbyServerId })

describe('a change of servers', () => {
  test('a newcomer begins on the mount where the one before is not, with the next epoch', () => {
    const first = move(begun, 'a')
    expect(first).toEqual({ ...begun, serverId: 'a', epoch: 1 })
    expect(move(first, 'b')).toEqual({ ...begun, serverId: 'b', epoch: 2, primaryMount: 'waiting' })
    expect(move(move(first, null), 'b')).toMatchObject({ serverId: 'b', primaryMount: 'waiting' })
  })

  test('the standby becomes the primary with the epoch and the mount that it has', () => {
    const both = move(move(begun, 'a'), 'a', 'b')
    expect(both).toMatchObject({ epoch: 1, primaryMount: 'own', standbyEpoch: 2 })
    expect(move(both, 'b', 'c')).toEqual({
      serverId: 'b',
      epoch: 2,
      primaryMount: 'waiting',
      standbyServerId: 'c',
      standbyEpoch: 3,
    })
    expect(move(both, 'b', 'a')).toMatchObject({ epoch: 2, standbyServerId: 'a', standbyEpoch: 3 })
    expect(move(both, 'b')).toMatchObject({ epoch: 2, primaryMount: 'waiting', standbyServerId: null, standbyEpoch: 2 })
  })

  test('where the standby stays, its mount is taken, and its epoch stays the higher one', () => {
    const both = move(begun, 'a', 'b')
    expect(move(both, 'c', 'b')).toEqual({ ...both, serverId: 'c', epoch: both.epoch + 2, standbyEpoch: both.epoch + 3 })
  })

  test('another standby gets the next epoch, on the same mount', () => {
    const both = move(begun, 'a', 'b')
    expect(move(both, 'a', 'c')).toEqual({ ...both, standbyServerId: 'c', standbyEpoch: both.standbyEpoch + 1 })
    expect(move(move(both, 'a'), 'a', 'c')).toMatchObject({ epoch: both.epoch, standbyEpoch: both.standbyEpoch + 1 })
  })
})

describe('any sequence of changes', () => {
  const server = constantFrom(null, 'a', 'b', 'c', 'd')
  const change = record({ serverId: server, standbyServerId: server }).filter(isPossible)
  const changes = array(change, { maxLength: 30 })

  test('epochs only grow, and none is ever given to two replicas', () => {
    eachStep((before, after, given) => {
      expect(after.epoch).toBeGreaterThanOrEqual(before.epoch)
      expect(after.standbyEpoch).toBeGreaterThanOrEqual(before.standbyEpoch)
      for (const { epoch, seat } of seatsOf(after)) {
        expect([epoch, given.get(epoch) ?? seat]).toEqual([epoch, seat])
        given.set(epoch, seat)
      }
    })
  })

  test("the standby's epoch is the higher one", () => {
    eachStep((_before, after) => {
      if (after.standbyServerId !== null) expect(after.standbyEpoch).toBeGreaterThan(after.epoch)
    })
  })

  test('who is promoted keeps mount and epoch', () => {
    eachStep((before, after) => {
      if (after.serverId === null || after.serverId !== before.standbyServerId || after.serverId === before.serverId) return
      expect([after.epoch, after.primaryMount]).toEqual([before.standbyEpoch, otherMount(before.primaryMount)])
    })
  })

  test('a newcomer beside whom no standby stays never gets the mount of the one before', () => {
    let last = ''
    eachStep((before, after) => {
      if (before === begun) last = ''
      if (after.serverId === null) return
      const isPromoted = after.serverId === before.standbyServerId
      const isBeside = after.standbyServerId !== null && after.standbyServerId === before.standbyServerId
      if (after.serverId !== before.serverId && !isPromoted && !isBeside) expect(after.primaryMount).not.toBe(last)
      last = after.primaryMount
    })
  })

  test('a replica whose server stays what it is goes on with what it has, unless the primary beside a standby is another', () => {
    eachStep((before, after) => {
      if (after.serverId === before.serverId) {
        expect([after.epoch, after.primaryMount]).toEqual([before.epoch, before.primaryMount])
        if (after.standbyServerId === before.standbyServerId) expect(after).toEqual(before)
      }
    })
  })

  /** Looks at each step of any sequence; `given`: who was given which epochs before. */
  function eachStep(look: (before: Replicas, after: Replicas, given: Map<number, string>) => void): void {
    assert(
      property(changes, (sequence) => {
        const given = new Map<number, string>()
        let now = begun
        for (const to of sequence) {
          const after = moveReplicas(now, to)
          look(now, after, given)
          for (const { epoch, seat } of seatsOf(after)) given.set(epoch, seat)
          now = after
        }
      }),
      { numRuns: 1000 },
    )
  }
})

/** Placement never puts both on one server. */
function isPossible({ serverId, standbyServerId }: Pick<Replicas, 'serverId' | 'standbyServerId'>): boolean {
  return standbyServerId === null || serverId !== standbyServerId
}

/** Each replica that there is: its epoch, and the server and mount that the epoch stands for. */
function seatsOf({ serverId, epoch, primaryMount, standbyServerId, standbyEpoch }: Replicas) {
  const seats = [{ epoch, seat: `${serverId} on ${primaryMount}` }]
  if (standbyServerId !== null) seats.push({ epoch: standbyEpoch, seat: `${standbyServerId} on ${otherMount(primaryMount)}` })
  return epoch === 0 ? [] : seats
}

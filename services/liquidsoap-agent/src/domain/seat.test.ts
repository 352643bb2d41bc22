import { describe, expect, test } from '@jest/globals'
import type { StreamCommand } from '@skipcast/contracts'
import { aStart } from '../../test/streams.ts'
import { runningSeats, seatsOf } from './seat.ts'

const standby = { server_id: 'here', epoch: 5, mount: '/w/a', source_token: 'b-token' }
const seatsIn = (...commands: StreamCommand[]) =>
  seatsOf('here', new Map(commands.map((command) => [command.channel_id, command])))

describe('the seats of a server', () => {
  test('are what it is told to start, and nothing else', () => {
    const { tracks: _, ...rest } = aStart('stopped')
    const seats = seatsIn(aStart('a'), aStart('elsewhere', { server_id: 'there' }), aStart('unplaced', { server_id: null }), {
      ...rest,
      event: 'stop_stream',
    })
    expect([...seats]).toEqual([['a', { role: 'primary', start: aStart('a') }]])
  })

  test('are of the second replica with its own epoch, mount and token', () => {
    const command = aStart('a', { server_id: 'there', epoch: 4, standby })
    expect(seatsIn(command).get('a')).toEqual({
      role: 'standby',
      start: { ...command, server_id: 'here', epoch: 5, mount: '/w/a', source_token: 'b-token' },
    })
  })

  test('linger where another takes the stream over, unless it stays as the second replica', () => {
    const takes_over = { server_id: 'here', at: 'now' } as const
    const left = seatsIn(aStart('a', { server_id: 'there', takes_over }))
    expect(left.get('a')?.role).toBe('lingering')
    expect(runningSeats(left).size).toBe(0)
    expect(seatsIn(aStart('a', { server_id: 'there', takes_over, standby })).get('a')?.role).toBe('standby')
    expect(seatsIn(aStart('a', { takes_over })).get('a')?.role).toBe('primary')
  })
})

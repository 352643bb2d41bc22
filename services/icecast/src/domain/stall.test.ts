import { describe, expect, test } from '@jest/globals'
import { comparison } from './stall.ts'

describe('comparison', () => {
  const over = () => {
    const both = comparison(['/a', '/w/a'])
    let now = 0
    return {
      both,
      /** Lets both send a piece every so often, for so long. */
      play: (forMs: number, everyMs: number, ...mounts: string[]) => {
        for (const end = now + forMs; now < end; now += everyMs) for (const mount of mounts) both.heard(mount, 1400, now)
        return [...both.stalled(now)]
      },
    }
  }

  test('finds the one that has stopped while the other plays, and that it is back once it has played for a while', () => {
    const { play } = over()
    expect(play(2000, 87, '/a', '/w/a')).toEqual([])
    expect(play(100, 87, '/w/a')).toEqual([])
    expect(play(300, 87, '/w/a')).toEqual(['/a'])
    expect(play(2000, 87, '/a', '/w/a')).toEqual(['/a'])
    expect(play(2000, 87, '/a', '/w/a')).toEqual([])
  })

  test('takes nobody for stopped where both are slow', () => {
    const { play } = over()
    expect(play(20_000, 2500, '/a', '/w/a')).toEqual([])
    expect(play(2500, 2500, '/w/a')).toEqual([])
  })

  test('says nothing of a mount whose ear hears nothing itself', () => {
    const { both, play } = over()
    play(1000, 87, '/a', '/w/a')
    both.heard('/a', 'lost', 1000)
    expect(play(2000, 87, '/w/a')).toEqual([])
    expect(play(500, 87, '/a', '/w/a')).toEqual([])
    expect(play(600, 87, '/w/a')).toEqual(['/a'])
  })
})

import { describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { troubles } from './troubles.ts'

const SHARED = { blame: 'engine' } as const
const OWN = { blame: 'channel' } as const
const NOBODYS = { blame: 'machine' } as const

function setUp() {
  let now = 0
  let released = 0
  const clock = { wallMs: () => 1_000_000 + now, steadyMs: () => now }
  const subject = troubles({ clock, onRelease: () => (released += 1) })
  return { subject, pass: (ms: number) => (now += ms), released: () => released }
}

describe('the troubles of a channel', () => {
  test('cost no waiting the first time, and ever more after that', () => {
    const { subject, pass } = setUp()
    using _ = subject
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    expect(subject.of('a')).toMatchObject({ code: 'ENGINE_CRASHED', at: 1_000_000 })
    expect(subject.heldBack().size).toBe(0)
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    expect(subject.heldBack()).toEqual(new Set(['a']))
    pass(200)
    expect(subject.heldBack().size).toBe(0)
    for (let again = 0; again < 3; again++) subject.note('a', 'ENGINE_CRASHED', SHARED)
    pass(600)
    expect(subject.heldBack()).toEqual(new Set(['a']))
  })

  test('ask for another try when the waiting is over', async () => {
    const { subject, released } = setUp()
    using _ = subject
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    await waitFor('the release', () => released() === 1, { timeoutMs: 2000 })
  })

  test('are over when it is heard, and forgotten after a minute of it', () => {
    const { subject } = setUp()
    using _ = subject
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    subject.heard('a', 1000)
    expect(subject.of('a')).toBeNull()
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    expect(subject.heldBack().size).toBe(1)
    subject.heard('a', 60_000)
    subject.note('a', 'ENGINE_CRASHED', SHARED)
    expect(subject.heldBack().size).toBe(0)
  })

  test('of its own, too many within two minutes, are quarantine, which grows until it is heard again', () => {
    const { subject, pass } = setUp()
    using _ = subject
    subject.commanded('a', { epoch: 1, generation: 1 })
    for (let again = 0; again < 5; again++) subject.note('a', 'CHANNEL_STUCK', OWN)
    for (let again = 0; again < 9; again++) subject.note('b', 'ENGINE_CRASHED', SHARED)
    expect(subject.of('a')).toMatchObject({ code: 'CHANNEL_STUCK' })
    subject.note('a', 'CHANNEL_STUCK', OWN)
    expect(subject.of('a')).toMatchObject({ code: 'CHANNEL_QUARANTINED', message: expect.stringContaining('CHANNEL_STUCK') })
    expect(subject.of('b')).toMatchObject({ code: 'ENGINE_CRASHED' })
    pass(44_000)
    expect(subject.heldBack()).toContain('a')
    pass(16_000)
    expect(subject.heldBack()).not.toContain('a')
    subject.note('a', 'ENGINE_CRASHED', OWN)
    pass(89_000)
    expect(subject.heldBack()).toContain('a')
    subject.heard('a', 60_000)
    expect(subject.of('a')).toBeNull()
  })

  test('that are of the machine cost waiting, and lead to no quarantine, and to nobody being kept apart', () => {
    const { subject } = setUp()
    using _ = subject
    for (let again = 0; again < 9; again++) subject.note('a', 'DISK_FULL', NOBODYS)
    expect(subject.of('a')).toMatchObject({ code: 'DISK_FULL' })
    expect(subject.heldBack()).toEqual(new Set(['a']))
    expect(subject.failures().get('a') ?? 0).toBe(0)
  })

  test('are over with another command, and with no other', () => {
    const { subject } = setUp()
    using _ = subject
    subject.quarantine('a', { epoch: 1, generation: 1 })
    subject.commanded('a', { epoch: 1, generation: 1 })
    expect(subject.of('a')).toMatchObject({ code: 'CHANNEL_QUARANTINED' })
    expect(subject.heldBack()).toEqual(new Set(['a']))
    subject.commanded('a', { epoch: 1, generation: 2 })
    expect(subject.of('a')).toBeNull()
    expect(subject.heldBack()).toEqual(new Set())
  })

  test('are remembered for ten minutes, to know whom to keep apart', () => {
    const { subject, pass } = setUp()
    using _ = subject
    for (let again = 0; again < 3; again++) subject.note('a', 'ENGINE_CRASHED', SHARED)
    subject.heard('a', 60_000)
    expect(subject.failures().get('a')).toBe(3)
    pass(600_000)
    expect(subject.failures().get('a')).toBe(0)
  })
})

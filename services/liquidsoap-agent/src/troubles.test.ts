import { describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { troubles } from './troubles.ts'

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
    subject.note('a', 'ENGINE_CRASHED')
    expect(subject.of('a')).toMatchObject({ code: 'ENGINE_CRASHED', at: 1_000_000 })
    expect(subject.heldBack().size).toBe(0)
    subject.note('a', 'ENGINE_CRASHED')
    expect(subject.heldBack()).toEqual(new Set(['a']))
    pass(200)
    expect(subject.heldBack().size).toBe(0)
    for (let again = 0; again < 3; again++) subject.note('a', 'ENGINE_CRASHED')
    pass(600)
    expect(subject.heldBack()).toEqual(new Set(['a']))
  })

  test('ask for another try when the waiting is over', async () => {
    const { subject, released } = setUp()
    using _ = subject
    subject.note('a', 'ENGINE_CRASHED')
    subject.note('a', 'ENGINE_CRASHED')
    await waitFor('the release', () => released() === 1, { timeoutMs: 2000 })
  })

  test('are over when it is heard, and forgotten after a minute of it', () => {
    const { subject } = setUp()
    using _ = subject
    subject.note('a', 'ENGINE_CRASHED')
    subject.heard('a', 1000)
    expect(subject.of('a')).toBeNull()
    subject.note('a', 'ENGINE_CRASHED')
    expect(subject.heldBack().size).toBe(1)
    subject.heard('a', 60_000)
    subject.note('a', 'ENGINE_CRASHED')
    expect(subject.heldBack().size).toBe(0)
  })
})

import { expect, test } from '@jest/globals'
import type { Phase } from '@skipcast/contracts'
import { reachOf } from './reach.ts'

const told = (phase: Phase, since = 0, code = 'NOT_HEARD') => ({
  phase,
  since,
  error: phase === 'failing' ? { code, message: '', hint: '', at: since } : null,
})

test('a server whose channels all play and are not heard is cut off, since the last of them was lost', () => {
  expect(reachOf([told('failing', 10), told('failing', 30, 'ICECAST_UNAVAILABLE'), told('starting'), told('off')])).toEqual({
    heard: 0,
    cutOffSince: 30,
  })
})

test('one that is heard is enough, and what fails at home proves nothing', () => {
  expect(reachOf([told('failing', 10), told('on_air'), told('silent')])).toEqual({ heard: 2, cutOffSince: null })
  expect(reachOf([told('failing', 10), told('failing', 10, 'ENGINE_START_FAILED')])).toEqual({ heard: 0, cutOffSince: null })
  expect(reachOf([told('starting'), told('stopping')])).toEqual({ heard: 0, cutOffSince: null })
})

import { expect, test } from '@jest/globals'
import { meters, silentLogger } from '@skipcast/runtime'
import type { WantedChannel } from './domain/plan.ts'
import { screening } from './screening.ts'
import { icecastTelemetry } from './telemetry.ts'

const channel = { mount: '/a', channelId: 'a', generation: 1 } as WantedChannel

test('it looks closely when a channel becomes private, and then once a minute', async () => {
  let at = 0
  let looks = 0
  const ended: string[] = []
  const screen = screening({
    admin: {
      async listeners(mount) {
        looks += 1
        const guest = { channelId: 'a', expiresAt: 60 }
        return [
          { id: '1', monitor: null, guest: null },
          { id: '2', monitor: null, guest },
          { id: '3', monitor: { asked: mount }, guest: null },
        ]
      },
      endListener: async (mount, id) => void ended.push(`${mount} ${id}`),
    },
    telemetry: icecastTelemetry(silentLogger(), meters()),
    now: () => at,
    today: () => at,
  })
  for (at = 0; at <= 120_000; at += 5000) await screen.look(channel)
  expect(looks).toBe(2 * (4 + 1)) // both mounts; at 0, 5, 10 and 15 s, and at 75 s
  expect(new Set(ended)).toEqual(new Set(['/a 1', '/w/a 1', '/a 2', '/w/a 2'])) // the link expired on the way
  screen.keep(() => true)
  await screen.look(channel)
  expect(looks).toBe(10)
  screen.keep(() => false)
  await screen.look(channel)
  expect(looks).toBe(12)
  at += 20_000
  await screen.look(channel)
  expect(looks).toBe(12)
  await screen.look({ ...channel, generation: 3 }) // in the second it was public, and nobody looked meanwhile
  expect(looks).toBe(14)
})

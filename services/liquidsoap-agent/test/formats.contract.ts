import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { hears, type Listener } from '@skipcast/testing'
import { engineUnderTest, type EngineUnderTest } from './engine-under-test.ts'

const TONE_HZ = 440
const TIMEOUT_MS = 20_000
const FORMATS = { mp3: 'audio/mpeg', opus: 'audio/ogg', aac: 'audio/aac' } as const

/** What every format of encoded channels promises, at a listener's ear, with this Liquidsoap. */
export function formatsContract(name: string, program: string): void {
  describe(`a format (${name})`, () => {
    let engine: EngineUnderTest
    const listeners = new Map<string, Listener>()
    const formats = Object.entries(FORMATS) as [keyof typeof FORMATS, string][]

    const addAll = async () => {
      for (const [format] of formats)
        await engine.add(format, { format, tracks: [await engine.track('tone', { frequencyHz: TONE_HZ, seconds: 5 })] })
    }
    beforeAll(async () => {
      engine = await engineUnderTest(program)
      await addAll()
      for (const [format] of formats) listeners.set(format, await engine.listenTo(format))
    }, 60_000)
    afterAll(async () => engine[Symbol.asyncDispose](), 30_000)

    const areHeard = () => Promise.all([...listeners.values()].map((each) => hears(each, TONE_HZ, { timeoutMs: TIMEOUT_MS })))

    test('is heard under its own name, and heard again after its engine was killed', async () => {
      await areHeard()
      for (const [format, type] of formats) expect(listeners.get(format)!.answer.headers.get('content-type')).toBe(type)
      await engine.replace()
      await addAll()
      await areHeard()
    }, 60_000)

    test('of next to no bytes in silence says when that is', async () => {
      const tracks = [
        await engine.track('short', { frequencyHz: TONE_HZ, seconds: 3 }),
        await engine.track('quiet', { frequencyHz: TONE_HZ, seconds: 3, levelDbfs: -Infinity }),
      ]
      await engine.add('blank', { format: 'aac', tracks })
      const until = (isBlank: boolean) =>
        waitFor(
          isBlank ? 'silence' : 'sound',
          async () => {
            const channels = (await engine.host.list()).flatMap((each) => each.channels)
            return channels.find(({ channelId }) => channelId === 'blank')?.live?.isBlank === isBlank
          },
          { timeoutMs: TIMEOUT_MS, everyMs: 50 },
        )
      await until(true)
      await until(false)
      await until(true)
    }, 70_000)
  })
}

import { describe, expect, test } from '@jest/globals'
import { readSound, UNMEASURED } from './sound.ts'

const report = (loudness: string, silences: string) => `[silencedetect @ 0x1] ${silences}
size=N/A time=00:01:02.00 bitrate=N/A speed= 117x
[Parsed_ebur128_0 @ 0x2] Summary:

  Integrated loudness:
    I:         ${loudness} LUFS
    Threshold: -38.2 LUFS

  Loudness range:
    LRA:         0.0 LU

  Sample peak:
    Peak:      -3.5 dBFS
`
const silence = (from: number, to?: number) =>
  `silence_start: ${from}\n${to === undefined ? '' : `[silencedetect @ 0x1] silence_end: ${to} | silence_duration: 1\n`}`

describe('what is heard in a file', () => {
  test('is its loudness, its peak, and the span between the silences at its ends', () => {
    expect(readSound(report('-28.2', silence(0, 0.7) + silence(30, 31) + silence(60.5, 62)))).toEqual({
      loudnessLufs: -28.2,
      peakDbfs: -3.5,
      fromMs: 700,
      toMs: 60_500,
    })
    expect(readSound(report('-28.2', silence(-0.01, 0.7) + silence(60.5)))).toMatchObject({ fromMs: 700, toMs: 60_500 })
  })

  test('is the whole file where silence is only within', () => {
    expect(readSound(report('-28.2', silence(30, 31)))).toMatchObject({ fromMs: 0, toMs: null })
    expect(readSound(report('-28.2', ''))).toMatchObject({ fromMs: 0, toMs: null })
  })

  test.each([
    ['silence', report('-70.0', silence(0, 62))],
    ['a report that was cut', report('-28.2', '').slice(0, 60)],
    ['nothing', ''],
    ['no number', report('nan', '')],
  ])('is not known of %s', (_, text) => {
    expect(readSound(text)).toEqual(UNMEASURED)
  })
})

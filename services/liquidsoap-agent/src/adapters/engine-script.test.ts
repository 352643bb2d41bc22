import { describe, expect, test } from '@jest/globals'
import { lineOf } from './engine-script.ts'

describe('the script for a version of Liquidsoap', () => {
  test.each([
    ['Liquidsoap 2.1.3\nCopyright (c) 2003-2022 Savonet team', '2.1'],
    ['Liquidsoap 2.3.2+dev\n', '2.3'],
    ['Liquidsoap 2.4.2+dev\n', '2.4'],
    ['Liquidsoap 2.5.0\n', '2.4'],
    ['Liquidsoap 3.0.0\n', '2.4'],
  ])('%j is that of %s', (text, line) => {
    expect(lineOf(text)).toBe(line)
  })

  test.each(['Liquidsoap 2.0.7\n', 'Liquidsoap 2.2.5\n', 'Liquidsoap 1.4.3\n', 'bash 5.2', ''])(
    'there is none for %j, and what to do is told',
    (text) => {
      expect(() => lineOf(text)).toThrow(/install 2\.1, 2\.3, 2\.4/)
    },
  )
})

import { expect, test } from '@jest/globals'
import { plain, table } from './terminal.ts'

test('text from elsewhere can not steer a terminal', () => {
  expect(plain('a\u001b[2Jb\r\nc\u202ed\u2066e é 漢字 😀')).toBe('a [2Jb c d e é 漢字 😀')
})

test('columns line up', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', ''],
    ]),
  ).toEqual(['a    bb', 'ccc'])
})

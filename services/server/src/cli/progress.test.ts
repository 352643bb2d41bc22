import { expect, test } from '@jest/globals'
import { progressLine, quarterLines } from './progress.ts'

const MIB = 1024 ** 2

test('a progress line tells share, sizes and rate, and fits into its row', () => {
  const line = progressLine(`${'long'.repeat(30)}.flac`, { sentBytes: 3 * MIB, totalBytes: 6 * MIB }, 2, 80)
  expect(line).toContain('████████████░░░░░░░░░░░░  50 %  3.0 of 6.0 MiB  1.5 MiB/s')
  expect(line.length).toBeLessThan(80)
})

test('a file that was sent, or is empty, is being analysed', () => {
  expect(progressLine('a', { sentBytes: MIB, totalBytes: MIB }, 1, 80)).toContain('100 %  1.0 of 1.0 MiB  being analysed')
  expect(progressLine('a', { sentBytes: 0, totalBytes: 0 }, 0, 80)).toContain('100 %')
})

test('who reads along gets each quarter once', () => {
  const lines: string[] = []
  const tell = quarterLines('a', (text) => lines.push(text))
  for (let sentBytes = 0; sentBytes <= 100; sentBytes += 10) tell({ sentBytes: sentBytes * MIB, totalBytes: 100 * MIB })
  expect(lines).toEqual([0, 25, 50, 75, 100].map((share) => `a: ${share} % of 100.0 MiB sent`))
})

import { summarise } from '../summary.ts'
import type { Outcome } from './fault.ts'

/** How far status may be behind the facts. */
export const STATUS_LIMIT_MS = 2000

export const HEADING = [
  'fault',
  'n',
  'connections kept',
  'gap p50',
  'gap p99',
  'programme p50',
  'programme p99',
  'status behind p50',
  'max',
  'status in time',
  'problems',
]

/** A row for each kind of fault, in order of their first appearance. Times in ms, at listeners: the longest without a byte; until the programme was back. */
export function faultRows(outcomes: readonly Outcome[]): string[][] {
  const names = [...new Set(outcomes.map(({ fault }) => fault))]
  return names.map((name) => {
    const those = outcomes.filter(({ fault }) => fault === name)
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    const gap = summarise(those.flatMap(({ gaps }) => gaps))
    const back = summarise(those.flatMap(({ programmeBack }) => programmeBack))
    const behind = those.flatMap(({ statusBehind }) => statusBehind ?? [])
    const status = summarise(behind)
    return [
      name,
      `${those.length}`,
      `${sum(those.map(({ kept }) => kept))}/${sum(those.map(({ listeners }) => listeners))}`,
      ...[gap.p50, gap.p99, back.p50, back.p99, status.p50, status.max].map(ms),
      behind.length === 0 ? '–' : `${behind.filter((value) => value <= STATUS_LIMIT_MS).length}/${behind.length}`,
      `${sum(those.map(({ problems }) => problems.length))}`,
    ]
  })
}

function ms(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(0)
}

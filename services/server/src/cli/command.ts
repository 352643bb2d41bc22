import type { Environment } from '@skipcast/runtime'
import type { ParseArgsConfig } from 'node:util'
import type { Terminal } from './terminal.ts'

/** One command of `skipcast`. */
export interface Command {
  /** One or two words: `up`, `channels start`. */
  readonly name: string
  /** What follows the name, as help shows it; empty: nothing does. */
  readonly takes: string
  readonly summary: string
  /** How many plain arguments it takes: least and most. */
  readonly arguments: readonly [number, number]
  readonly options?: NonNullable<ParseArgsConfig['options']>
  /** Resolves with the exit code. What it throws is told in words by whoever runs it. */
  run(call: Call): Promise<number>
}

/** What a command is handed. */
export interface Call {
  readonly arguments: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly environment: Environment
  readonly terminal: Terminal
  /** Aborts at Ctrl-C or SIGTERM. A command that never asks for it is simply ended by these. */
  interrupted(): AbortSignal
}

/** The command line can't be understood. Exit code 2. */
export class UsageError extends Error {}

export const DONE = 0
export const FAILED = 1
export const MISUSED = 2

/** An option's text, or undefined where it was not given. */
export function textOption(call: Call, name: string): string | undefined {
  const value = call.options[name]
  return typeof value === 'string' ? value : undefined
}

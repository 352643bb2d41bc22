import { isatty } from 'node:tty'

/** Where a command writes: what was asked for to standard output, all else to standard error. */
export interface Terminal {
  /** One line of what was asked for. */
  print(text: string): void
  /** One line about what goes on. */
  note(text: string): void
  /** The line about what goes on now: replaces the last one drawn. Only where somebody watches: see `isWatched`. */
  draw(text: string): void
  /** Ends a drawn line. */
  settle(): void
  /** True where a person watches what goes on; else lines go to a file or to a program. */
  readonly isWatched: boolean
  readonly columns: number
}

export function terminalOf(output: NodeJS.WritableStream, errors: NodeJS.WriteStream & { fd: number }): Terminal {
  let isDrawn = false
  const settle = () => {
    if (isDrawn) errors.write('\n')
    isDrawn = false
  }
  return {
    print(text) {
      settle()
      output.write(`${text}\n`)
    },
    note(text) {
      settle()
      errors.write(`${text}\n`)
    },
    draw(text) {
      errors.write(`\r\u001b[2K${text}`)
      isDrawn = true
    },
    settle,
    isWatched: isatty(errors.fd),
    columns: errors.columns,
  }
}

/** Text from elsewhere, fit for a terminal: no control characters, and nothing that turns the direction of writing. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
}

/** Rows as columns that line up, without trailing blanks. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join('  ')
      .trimEnd(),
  )
}

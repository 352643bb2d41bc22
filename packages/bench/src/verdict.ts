/** A target and whether it was met, as a cell of a table. */
export function verdict(met: boolean, target: string): string {
  return `${target} ${met ? 'met' : 'MISSED'}`
}

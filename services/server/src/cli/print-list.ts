import { DONE, type Call } from './command.ts'
import { table } from './terminal.ts'

/** Prints what a command lists: as JSON with `--json`, else as a table, or `none` where there is nothing. Returns the exit code. */
export function printList<Item>(
  { options, terminal }: Pick<Call, 'options' | 'terminal'>,
  items: readonly Item[],
  show: { readonly headings: readonly string[]; readonly row: (item: Item) => string[]; readonly none: string },
): number {
  if (options['json'] === true) terminal.print(JSON.stringify(items))
  else if (items.length === 0) terminal.note(show.none)
  else for (const line of table([show.headings, ...items.map(show.row)])) terminal.print(line)
  return DONE
}

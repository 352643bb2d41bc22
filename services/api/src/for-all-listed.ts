const AT_ONCE = 100

/**
 * Does the same to all that is listed, some at a time, until nothing is. `after` is the last one of those before, for lists on which what was done stays.
 * Rejects with what `list` or `work` rejects with.
 */
export async function forAllListed(
  list: (limit: number, after: string) => Promise<readonly string[]>,
  work: (id: string) => Promise<unknown>,
): Promise<void> {
  for (let ids = await list(AT_ONCE, ''); ids.length > 0; ids = await list(AT_ONCE, ids.at(-1)!)) {
    for (const id of ids) await work(id)
  }
}

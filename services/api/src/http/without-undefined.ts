/** The fields that were given; null when none was. */
export function withoutUndefined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } | null {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return given.length === 0 ? null : (Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> })
}

export interface HealthBoard {
  /** Tells how a dependency of this process is: null is well, a text says what is wrong. */
  report(dependency: string, problem: string | null): void
  /** All that was ever reported, by name. */
  read(): Record<string, { ok: boolean; problem: string | null }>
}

/** One place per process where every part says whether its dependencies are there; `/readyz` reads it. */
export function healthBoard(): HealthBoard {
  const state = new Map<string, string | null>()
  return {
    report: (dependency, problem) => void state.set(dependency, problem),
    read: () => Object.fromEntries([...state].map(([name, problem]) => [name, { ok: problem === null, problem }])),
  }
}

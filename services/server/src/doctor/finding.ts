/** What was looked at and how it is; with a problem, also what to do about it. */
export interface Finding {
  readonly what: string
  readonly problem?: { readonly cure: string } | undefined
}

/** One finding: well when `isWell`, else with its cure. */
export function finding(what: string, isWell: boolean, cure: string): Finding {
  return isWell ? { what } : { what, problem: { cure } }
}

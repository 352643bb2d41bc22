/** What `npm run simulate` is asked. */
export interface SimulateRequest {
  readonly runs: number
  readonly firstSeed: number
  /** One run, with its whole trace. */
  readonly isTraced: boolean
  /** A bug planted by hand, by its name. */
  readonly mutant: string | null
}

const USAGE = 'npm run simulate -- [--runs N] [--from N] [--mutant NAME] | --seed N [--mutant NAME]'
const DEFAULT_RUNS = 1000

/** Throws with a sentence for people. */
export function readCommandLine(args: readonly string[]): SimulateRequest {
  const given = new Map<string, string>()
  for (let index = 0; index < args.length; index += 2) {
    const [name, value] = [args[index]!, args[index + 1]]
    if (!['--runs', '--from', '--seed', '--mutant'].includes(name) || value === undefined)
      throw new Error(`${name} is not understood. Usage: ${USAGE}`)
    given.set(name, value)
  }
  const number = (name: string, otherwise: number) => {
    const text = given.get(name)
    if (text === undefined) return otherwise
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name} wants a number from 1 on, not ${text}. Usage: ${USAGE}`)
    return Number(text)
  }
  const isTraced = given.has('--seed')
  if (isTraced && (given.has('--runs') || given.has('--from'))) throw new Error(`--seed is one run. Usage: ${USAGE}`)
  return {
    runs: isTraced ? 1 : number('--runs', DEFAULT_RUNS),
    firstSeed: isTraced ? number('--seed', 1) : number('--from', 1),
    isTraced,
    mutant: given.get('--mutant') ?? null,
  }
}

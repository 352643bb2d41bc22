/** One measurement that anybody can repeat. It starts all that it needs, prints a table, and leaves nothing behind. */
export interface Benchmark<S extends Settings = Settings> {
  readonly name: string
  readonly summary: string
  /** What may be changed on the command line (`name=number`), with the values of a full run. */
  readonly settings: S
  /** Resolves with the table, ready to print. `say` tells how far it is. */
  run(settings: S, say: (text: string) => void): Promise<string>
}

type Settings = Readonly<Record<string, number>>

/** The list of benchmarks and how to start one. */
export function usage(benchmarks: readonly Benchmark[]): string {
  const lines = benchmarks.map(({ name, summary, settings }) => {
    const defaults = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
    return `  ${name} [${defaults.join(' ')}]\n      ${summary}`
  })
  return `node packages/bench/src/main.ts <name> [setting=number …]\n\n${lines.join('\n')}`
}

/** Runs the benchmark of this name. Throws RangeError for an unknown name or setting. */
export async function runNamed(
  benchmarks: readonly Benchmark[],
  name: string,
  given: readonly string[],
  say: (text: string) => void,
): Promise<string> {
  const benchmark = benchmarks.find((candidate) => candidate.name === name)
  if (!benchmark) throw new RangeError(`There is no benchmark "${name}".\n${usage(benchmarks)}`)
  const changes = given.map((word) => {
    const [, key, value] = /^([a-z]+)=(\d{1,6})$/i.exec(word) ?? []
    if (key === undefined || !(key in benchmark.settings)) throw new RangeError(`"${word}" is no setting.\n${usage([benchmark])}`)
    return [key, Number(value)] as const
  })
  return benchmark.run({ ...benchmark.settings, ...Object.fromEntries(changes) }, say)
}

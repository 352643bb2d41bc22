import { constellation } from './constellation.ts'
import { scheduleFaults } from './faults.ts'
import { whyNotConverged } from './convergence.ts'
import { Violation, watchInvariants } from './invariants.ts'
import { seededRandom } from './kernel/random.ts'
import { trace as newTrace } from './kernel/trace.ts'
import { world as newWorld, type World } from './kernel/world.ts'
import { operator as newOperator, playlistOf } from './operator.ts'

/** What came of one run. */
export interface RunResult {
  readonly seed: number
  readonly hash: string
  readonly simulatedMs: number
  readonly steps: number
  readonly commands: number
  readonly faults: readonly string[]
  readonly failure: { readonly invariant: string; readonly what: string; readonly last: readonly string[] } | null
}

/** So long things go wrong. */
const TROUBLE_MS = [15_000, 40_000] as const
/** After the last fault, all must be as it is wanted within so long: the longest backoff has 30 s, a quarantine 60 s. */
const CONVERGE_MS = 150_000
/** And stay so. */
const CALM_MS = 2000
const LOOK_EVERY_MS = 250

/** One run from its seed number: the same each time. `use` makes the world the one at hand. */
export async function simulate(
  seed: number,
  kernel: { drain: () => void; use: (world: World) => void },
  onLine?: (line: string) => void,
): Promise<RunResult> {
  const random = seededRandom(seed)
  const trace = newTrace(onLine)
  const world = newWorld({ random: random.fork('product'), trace, drain: kernel.drain })
  kernel.use(world)
  const stage = constellation(world)
  const operator = newOperator(stage, random.fork('operator'))
  const watch = watchInvariants(stage)
  const troubleMs = random.fork('length').between(...TROUBLE_MS)
  const { names } = scheduleFaults(stage, random.fork('faults'), troubleMs)

  const openings = random.fork('openings')
  for (const id of stage.channels) world.after(0, () => void stage.database.tables.replaceTracks(id, playlistOf(openings)))
  const acts = random.fork('acts')
  const act = () => {
    if (world.now >= troubleMs) return
    operator.act()
    world.after(acts.between(200, 3000), act)
  }
  world.after(500, act)

  let steps = 0
  let convergedSince: number | null = null
  let why: string | null = null
  const look = () => {
    why = whyNotConverged(stage, operator)
    convergedSince = why === null ? (convergedSince ?? world.now) : null
    if (why !== null && world.now > troubleMs + CONVERGE_MS)
      throw new Violation('it converges when faults stop', `${CONVERGE_MS / 1000} s after the last: ${why}`)
    world.after(LOOK_EVERY_MS, look)
  }
  world.after(troubleMs + LOOK_EVERY_MS, look)

  const result = (failure: RunResult['failure']): RunResult => ({
    seed,
    hash: trace.hash(),
    simulatedMs: world.now,
    steps,
    commands: operator.count,
    faults: names,
    failure,
  })
  try {
    await world.run(() => {
      steps += 1
      stage.listen()
      watch.check()
      return convergedSince !== null && world.now - convergedSince >= CALM_MS
    })
    return result(null)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return result({ invariant: error.invariant, what: error.message, last: trace.last() })
  }
}

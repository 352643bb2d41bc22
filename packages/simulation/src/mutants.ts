import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A bug planted by hand: one place of the product's own source, and what stands there instead. */
export interface Mutant {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'fencing lets older epochs in',
    file: 'services/icecast/src/domain/judge.ts',
    find: 'claim.epoch < known.highestEpoch',
    replace: 'false',
  },
  {
    name: 'making room ends nobody',
    file: 'services/icecast/src/answer.ts',
    find: 'await makeRoom(ports.admin, path, signal)',
    replace: 'void makeRoom',
  },
  {
    name: 'a stop is kept from the agents',
    file: 'packages/db/src/stores/channel-writes.ts',
    find: 'if (!isCommand) return',
    replace: "if (!isCommand || change.wanted === 'off') return",
  },
  {
    name: 'a move keeps its epoch',
    file: 'packages/db/src/stores/replicas.ts',
    find: 'epoch: last + 1,',
    replace: 'epoch,',
  },
  {
    name: 'who is promoted gets an epoch of its own',
    file: 'packages/db/src/stores/replicas.ts',
    find: 'serverId, epoch: standbyEpoch, primaryMount',
    replace: 'serverId, epoch: last + 1, primaryMount',
  },
  {
    name: 'a standby keeps its epoch when the primary gets a newer one',
    file: 'packages/db/src/stores/replicas.ts',
    find: 'hasStandby ? last + 2 : standbyEpoch',
    replace: 'standbyEpoch',
  },
  {
    name: 'a newcomer begins on the mount of the one before',
    file: 'packages/db/src/stores/replicas.ts',
    find: 'isMountKept ? primaryMount : otherMount(primaryMount)',
    replace: 'primaryMount',
  },
  {
    name: 'who had the channel before is not put out',
    file: 'services/icecast/src/tidying.ts',
    find: 'if (gone === null || roster.isExpected(gone)) return',
    replace: 'if (gone !== null) return; else return',
  },
  {
    name: 'the agent ignores newer generations',
    file: 'services/liquidsoap-agent/src/domain/plan.ts',
    find: 'record.generation >= channel.generation',
    replace: 'record.generation === channel.generation',
  },
  {
    name: 'the agent does not give up what has moved away',
    file: 'services/liquidsoap-agent/src/domain/seat.ts',
    find: 'if (command.server_id === serverId) return',
    replace: 'return',
  },
  {
    name: 'a view drops the last record of a reading',
    file: 'packages/bus/src/state-view.ts',
    find: 'const changed = [...fresh].filter(',
    replace: 'const changed = [...fresh].slice(0, -1).filter(',
  },
  {
    name: 'a connection is enough to be on air',
    file: 'services/liquidsoap-agent/src/domain/phase.ts',
    find: 'if (flows && sounds) return onAir',
    replace: 'return onAir',
  },
  {
    name: 'a retry is forgotten after its backoff',
    file: 'services/api/src/relay-outbox.ts',
    find: 'notBefore = clock() + wait.next()',
    replace: 'notBefore = Infinity',
  },
  {
    name: 'a loop that fails once never runs again',
    file: 'packages/runtime/src/loop.ts',
    find: '.catch(options.onError)',
    replace: '.catch((error) => { options.onError(error); closed = true })',
  },
]

const ROOT = new URL('../../../', import.meta.url)

/** The source with the bug in it. Throws where its place is not to be found just once: the product has changed, and the bug must be planted anew. */
function mutate(source: string, { name, file, find, replace }: Mutant): string {
  const parts = source.split(find)
  if (parts.length !== 2) throw new Error(`The bug "${name}" has ${parts.length - 1} places in ${file}; it wants one: ${find}`)
  return parts.join(replace)
}

/** From now on, this thread loads the product with the bug in it. */
export function plant(name: string): void {
  const mutant = mutants.find((each) => each.name === name)
  if (!mutant) throw new Error(`There is no bug "${name}". There are: ${mutants.map((each) => each.name).join(', ')}`)
  const url = new URL(mutant.file, ROOT).href
  const source = mutate(readFileSync(fileURLToPath(url), 'utf8'), mutant)
  registerHooks({
    load: (loaded, context, next) =>
      loaded === url ? { format: 'module-typescript', source, shortCircuit: true } : next(loaded, context),
  })
}

import { networkInterfaces } from 'node:os'
import { identify, isAppError, messageOf, runCommand, waitFor } from '@skipcast/runtime'

/**
 * Machines of a network of our own, each a network namespace with one interface, and a bridge between them:
 *
 *   this process ── veth ──┐
 *   host a ─── eth0 ───────┤ bridge, in a namespace of its own
 *   host b ─── eth0 ───────┘
 *
 * No packet leaves it: nobody has a route to anywhere else.
 */
export interface Lan extends AsyncDisposable {
  /** address/bits */
  readonly network: string
  /** Adds a machine. Its ports are its own. */
  host(name: string): Promise<LanHost>
  /** Nothing goes from one to the other any more, and nobody is told: no RST, no ICMP. */
  cut(from: LanHost, to: LanHost): Promise<void>
  heal(from: LanHost, to: LanHost): Promise<void>
}

export interface LanHost {
  readonly name: string
  readonly address: string
  /** What a command line begins with, so that the program runs on this machine. */
  readonly through: readonly string[]
  /** Pulls its cable out of the bridge, or puts it in. */
  setLink(state: 'up' | 'down'): Promise<void>
  /** Every process of this machine. */
  pids(): Promise<number[]>
}

const COMMAND_TIMEOUT_MS = 10_000
const END_TIMEOUT_MS = 20_000
const PREFIX = 'skipcast-'
const BRIDGE_HOST = 'bridge'
const MOST_LANS = 250
const MOST_HOSTS = 200
/** The address of this process in it. */
const OWN_NUMBER = 254
/** Nobody has it: what is sent there is lost without a word. */
const NOWHERE = '02:00:00:00:00:00'

/** Why this machine can have no such network; null when it can. Removes what runs left behind that were killed. */
export async function whyNoLan(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'only root may make networks'
  try {
    await removeLeftovers()
    const name = `${PREFIX}${process.pid}-try`
    await ip('netns', 'add', name)
    await ip('netns', 'del', name)
    return null
  } catch (error) {
    return isAppError(error, 'PROGRAM_MISSING') ? 'there is no `ip` (Debian: apt-get install iproute2)' : messageOf(error)
  }
}

/** Rejects with COMMAND_FAILED where `whyNoLan` has a reason. Disposing ends every process of its machines. */
export async function openLan(): Promise<Lan> {
  await using owned = new AsyncDisposableStack()
  const number = freeNumber()
  const addressOf = (host: number) => `10.213.${number}.${host}`
  const space = async (name: string, owner: AsyncDisposableStack) => {
    const path = `${PREFIX}${process.pid}-${number}-${name}`
    await ip('netns', 'add', path)
    owner.defer(() => removeSpace(path))
    await ip('-n', path, 'link', 'set', 'lo', 'up')
    return path
  }
  const bridge = await space(BRIDGE_HOST, owned)
  await ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge')
  await ip('-n', bridge, 'link', 'set', 'br0', 'up')
  /** A cable with one end in the bridge. */
  const plug = async (port: string, at: { end: string; in?: string; number: number }) => {
    const side = at.in === undefined ? [] : ['-n', at.in]
    await ip('-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', at.end, 'netns', at.in ?? `${process.pid}`)
    await ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up')
    await ip(...side, 'addr', 'add', `${addressOf(at.number)}/24`, 'dev', at.end)
    await ip(...side, 'link', 'set', at.end, 'up')
  }
  await plug('own', { end: `skipcast${number}`, number: OWN_NUMBER })

  let count = 0
  const opened = owned.move()
  return {
    network: `${addressOf(0)}/24`,
    async host(name) {
      if (++count > MOST_HOSTS) throw new RangeError(`A network has ${MOST_HOSTS} machines at most`)
      const [address, number] = [addressOf(count), count]
      const port = `p${number}`
      const path = await space(name, opened)
      await plug(port, { end: 'eth0', in: path, number })
      return {
        name,
        address,
        through: ['nsenter', `--net=/run/netns/${path}`],
        setLink: (state) => ip('-n', bridge, 'link', 'set', port, state).then(() => {}),
        pids: () => pidsOf(path),
      }
    },
    async cut(from, to) {
      await ip('-n', spaceOf(from), 'neigh', 'replace', to.address, 'lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent')
    },
    async heal(from, to) {
      await ip('-n', spaceOf(from), 'neigh', 'del', to.address, 'dev', 'eth0')
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function spaceOf({ through }: LanHost): string {
  return through[1]!.replace('--net=/run/netns/', '')
}

function freeNumber(): number {
  const taken = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  for (let number = 1; number <= MOST_LANS; number++)
    if (!taken.some(({ address }) => address.startsWith(`10.213.${number}.`))) return number
  throw new RangeError(`There are ${MOST_LANS} networks already`)
}

/** Ends its processes and removes it, with the cable that ends in it. */
async function removeSpace(path: string): Promise<void> {
  await waitFor(
    `the processes of ${path} to end`,
    async () => {
      const left = await pidsOf(path)
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has just ended.
        }
      }
      return left.length === 0
    },
    { timeoutMs: END_TIMEOUT_MS },
  )
  await ip('netns', 'del', path)
}

/** Of runs whose process is gone. */
async function removeLeftovers(): Promise<void> {
  const names = (await ip('netns', 'list')).split('\n').map((line) => line.split(' ')[0]!)
  for (const name of names) {
    const pid = /^skipcast-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && identify(Number(pid)) === null) await removeSpace(name)
  }
}

async function pidsOf(path: string): Promise<number[]> {
  return (await ip('netns', 'pids', path)).split('\n').flatMap((line) => (line === '' ? [] : [Number(line)]))
}

async function ip(...args: string[]): Promise<string> {
  return (await runCommand('ip', args, { timeoutMs: COMMAND_TIMEOUT_MS })).stdout.toString()
}

import { isAppError } from '@skipcast/runtime'
import { ApiRefusal, isRefusal, type ApiClient, type Placement, type Server } from '../api-client.ts'
import { DONE, FAILED } from './command.ts'
import { tellFailure } from './tell-failure.ts'
import { plain, type Terminal } from './terminal.ts'

export interface UpgradePorts {
  readonly api: Pick<ApiClient, 'servers' | 'drain' | 'channels' | 'placement'>
  readonly terminal: Pick<Terminal, 'note' | 'draw' | 'settle' | 'isWatched'>
  /** Runs the command, with our terminal, until it ends: 0, another exit code, a signal's name, or why it could not be run. */
  readonly run: (command: readonly string[]) => Promise<number | string>
  /** Resolves after so long, or as soon as somebody interrupts. */
  readonly pause: (ms: number) => Promise<void>
  readonly isInterrupted: () => boolean
  /** Milliseconds that only grow. */
  readonly clock: () => number
}

export interface Upgrade {
  readonly serverId: string
  readonly command: readonly string[]
  /** So long its channels may take to leave. */
  readonly limitMs: number
}

const LOOK_EVERY_MS = 500
/** The command may have restarted what answers us, and that must hear of the servers first. */
const REOPEN_WITHIN_MS = 60_000
/** More of those that stay would help nobody to understand. */
const MOST_TOLD = 10
const MOST_ASKED = 200

/**
 * Empties a server, runs a command there and lets it have channels again, whatever became of it. Its listeners are handed on, each channel as soon as another server
 * plays it. What can't leave in time is told, with why, and the command is not run. Resolves with the exit code; rejects only while nothing was done yet.
 */
export async function upgradeServer(ports: UpgradePorts, upgrade: Upgrade): Promise<number> {
  const { api, terminal } = ports
  const { serverId } = upgrade
  const servers = await api.servers()
  const before = servers.find(({ id }) => id === serverId)
  const problem = problemOf(serverId, before, servers)
  if (problem !== null) {
    terminal.note(problem)
    return FAILED
  }
  let code = FAILED
  try {
    await api.drain(serverId, 'drain')
    if (await becomesEmpty(ports, upgrade)) code = await runCommand(ports, upgrade)
  } catch (error) {
    terminal.note(tellFailure(error))
  }
  if (before!.drain !== null) {
    terminal.note(`${serverId} was to be empty before, and stays so. To give it channels again: servers undrain ${serverId}`)
    return code
  }
  return (await reopen(ports, serverId)) ? code : FAILED
}

/** Why it can't be emptied at all; null: it may be. */
function problemOf(serverId: string, server: Server | undefined, servers: readonly Server[]): string | null {
  if (!server) return `There is no server ${plain(serverId)}. servers list shows all.`
  if (server.state !== 'open' && server.state !== 'draining')
    return `${serverId} is ${server.state}: it is not heard, so nobody can say when it is empty. See whether Skipcast runs there and reaches Kafka.`
  const hasOthers = servers.some(({ id, state }) => id !== serverId && state === 'open')
  if (hasOthers || server.placed.channels === 0) return null
  return `${serverId} is the only server that takes channels: there is nowhere for its ${server.placed.channels} to go, so it was not emptied.
Upgrade it in place and restart Skipcast: its engines play on meanwhile and are adopted, and nobody hears it. A service unit does so; by hand, run npm start with ON_STOP=hand-over.`
}

/** False: it was not empty in time, or somebody interrupted. */
async function becomesEmpty({ api, terminal, pause, isInterrupted, clock }: UpgradePorts, { serverId, limitMs }: Upgrade) {
  const startedAt = clock()
  const elapsed = () => `${((clock() - startedAt) / 1000).toFixed(1)} s`
  let told: string | null = null
  for (;;) {
    const { left, text } = await look(api, serverId)
    if (terminal.isWatched) terminal.draw(`${text}, after ${elapsed()}`)
    else if (text !== told) terminal.note(text)
    told = text
    if (left === 0) {
      terminal.note(`${serverId} is empty, after ${elapsed()}`)
      return true
    }
    if (isInterrupted()) {
      terminal.note('Interrupted: the command was not run.')
      return false
    }
    if (clock() - startedAt > limitMs) break
    await pause(LOOK_EVERY_MS)
  }
  terminal.note(`${serverId} is not empty after ${elapsed()}, so the command was not run. What is left:`)
  for (const line of await tellWhatStays(api, serverId)) terminal.note(`  ${line}`)
  return false
}

/** How many channels a server still has; null: nobody can say at present. It counts itself also what it plays on until others have taken over. */
async function look(api: UpgradePorts['api'], serverId: string): Promise<{ left: number | null; text: string }> {
  try {
    const server = (await api.servers()).find(({ id }) => id === serverId)
    if (!server) return { left: null, text: `${serverId} is not known at present` }
    const left = Math.max(server.placed.channels, server.channels)
    return { left, text: `${serverId}: ${left} ${left === 1 ? 'channel' : 'channels'} left` }
  } catch (error) {
    if (!mayPass(error)) throw error
    return { left: null, text: tellFailure(error) }
  }
}

async function tellWhatStays(api: UpgradePorts['api'], serverId: string): Promise<string[]> {
  const lines: string[] = []
  for (const { id, slug, state } of (await api.channels()).slice(0, MOST_ASKED)) {
    if (lines.length === MOST_TOLD || state === 'off') continue
    const placement = await api.placement(id)
    const has = placement.servers.find((server) => server.id === serverId)?.has
    if (has) lines.push(`${slug}: ${reasonOf(placement, serverId)}`)
  }
  if (lines.length === 0) return [`It still plays what others are taking over. See its log, and try again.`]
  return lines.length < MOST_TOLD ? lines : [...lines, '…']
}

function reasonOf({ pinned_server: pin, servers }: Placement, serverId: string): string {
  if (pin === serverId) return `it is pinned to ${serverId}`
  const others = servers.filter(({ id, has }) => id !== serverId && has === null)
  if (others.length === 0) return 'there is no other server for it'
  if (others.some(({ refused_because: refusals }) => refusals.length === 0)) return 'it was about to leave'
  return `no other server can have it (${others[0]!.id}: ${others[0]!.refused_because.join('; ')})`
}

async function runCommand({ terminal, run }: UpgradePorts, { command }: Upgrade): Promise<number> {
  terminal.settle()
  const ended = await run(command)
  const name = plain(command[0]!)
  terminal.note(typeof ended === 'number' ? `${name} ended with exit code ${ended}` : `${name}: ${ended}`)
  return ended === 0 ? DONE : FAILED
}

/** False, and told: nobody let us. */
async function reopen({ api, terminal, pause, clock }: UpgradePorts, serverId: string): Promise<boolean> {
  const startedAt = clock()
  for (;;) {
    try {
      const { state } = await api.drain(serverId, 'undrain')
      terminal.note(`${serverId} takes channels again (${state})`)
      return true
    } catch (error) {
      const isLate = clock() - startedAt > REOPEN_WITHIN_MS
      if (isLate || !(mayPass(error) || isRefusal(error, 404))) {
        terminal.note(`${tellFailure(error)}\n${serverId} gets no channels as yet. Open it: servers undrain ${serverId}`)
        return false
      }
    }
    await pause(LOOK_EVERY_MS)
  }
}

/** The API, or what it needs, is away and may come back. */
function mayPass(error: unknown): boolean {
  return isAppError(error, 'HOST_UNREACHABLE') || (error instanceof ApiRefusal && error.status >= 500)
}

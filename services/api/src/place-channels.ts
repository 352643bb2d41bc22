import type { Channel } from '@skipcast/db'
import { isAppError, type HealthBoard, type Logger } from '@skipcast/runtime'
import { allowance } from './domain/allowance.ts'
import { place, type Move, type MoveReason } from './domain/place.ts'
import type { Server } from './domain/server.ts'
import type { ApiPorts } from './ports.ts'
import { placeableOf, surveyServers, type SurveyPorts } from './survey-servers.ts'

/** Looked at in one pass, at most. */
const MAX_LISTED = 100_000
/** While moves wait for their turn, a pass follows so soon. */
export const NEXT_TURN_MS = 250
/** What nobody hears until it is done. All else plays on meanwhile. */
const URGENT: readonly MoveReason[] = ['unplaced', 'lost']

export interface PlacementPorts extends SurveyPorts, Pick<ApiPorts, 'random'> {
  readonly health: HealthBoard
  readonly logger: Logger
  /** Resolves when this process leads still; rejects with DATABASE_UNAVAILABLE. */
  readonly confirmLead: () => Promise<void>
  readonly onMoved: (because: MoveReason) => void
  /** Milliseconds that only grow. */
  readonly clock: () => number
}

export interface PlacementLimits {
  /** Channels that nobody plays get a server, each second. */
  readonly urgentPerSecond: number
  /** Channels that play leave their server, each second; spread over it. */
  readonly plannedPerSecond: number
}

/**
 * The passes that give wanted channels other servers where they need some: those without one, those of servers that are lost or shall be
 * empty, those whose wishes changed. Only the leader runs them, and even two would do no harm: a channel moves only if it is still as it was seen, and
 * its row alone decides. Many at once are spread over seconds, so that those who take them, and the bus, keep up. A pass resolves with how many wait for their turn.
 */
export function placementPass(ports: PlacementPorts, limits: PlacementLimits): () => Promise<number> {
  const { stores, health, logger } = ports
  const { urgentPerSecond, plannedPerSecond } = limits
  const urgent = allowance({ perSecond: urgentPerSecond, atOnce: urgentPerSecond }, ports.clock)
  const inATurn = Math.max(1, Math.round((plannedPerSecond * NEXT_TURN_MS) / 1000))
  const planned = allowance({ perSecond: plannedPerSecond, atOnce: inATurn }, ports.clock)
  let told: string | null = null
  const tell = (problem: string | null) => {
    health.report('failover', problem)
    if (problem === told) return
    if (problem === null) logger.info('servers are given up again when they fall silent')
    else logger.warn({ problem }, 'no server is given up')
    told = problem
  }

  return async function pass() {
    const { servers, problem } = await surveyServers(ports)
    tell(problem)
    const settled = servers.filter(isSettled)
    const misplaced = await stores.channels.listMisplaced(settled, MAX_LISTED)
    const moves = place(misplaced.map(placeableOf), servers, ports.random)
    if (moves.length === 0) return 0
    const isUrgent = ({ because }: Move) => URGENT.includes(because)
    const due = [...urgent.take(moves.filter(isUrgent)), ...planned.take(moves.filter((move) => !isUrgent(move)))]
    const waiting = moves.length - due.length
    if (due.length === 0) return waiting
    await ports.confirmLead()
    const seen = new Map(misplaced.map((channel) => [channel.id, channel]))
    const moved = await Promise.all(due.map((move) => carryOut(stores, seen.get(move.channelId)!, move)))
    const reasons = due.filter((_, index) => moved[index]).map(({ because }) => because)
    for (const because of reasons) ports.onMoved(because)
    const counts = Object.fromEntries(
      [...Map.groupBy(reasons, (because) => because)].map(([because, { length }]) => [because, length]),
    )
    logger.info({ moved: counts, waiting }, 'channels got other servers')
    return waiting
  }
}

/** Where channels can stay, if it suits them. */
function isSettled({ state, load, capacity }: Server): boolean {
  return state === 'unsure' || (state === 'open' && load <= capacity)
}

/** False: it is not as it was seen any more. */
async function carryOut(stores: PlacementPorts['stores'], seen: Channel, move: Move): Promise<boolean> {
  let isMoved = false
  const work = stores.channels.change(seen, (channel) => {
    isMoved = channel.wanted === 'on' && channel.epoch === seen.epoch && channel.standbyEpoch === seen.standbyEpoch
    return isMoved ? placementOf(move) : null
  })
  await work.catch((error: unknown) => {
    if (!isAppError(error, 'NOT_FOUND')) throw error // deleted meanwhile
    isMoved = false
  })
  return isMoved
}

/** The move as a change of the channel. Who is not lost plays on until the next has taken over. */
export function placementOf({ primary, standby, because }: Move) {
  const handOver = URGENT.includes(because) ? null : 'now'
  return { serverId: primary, standbyServerId: standby, movedBecause: because, handOver } as const
}

import { verifySourceToken, type SourceClaim, type StreamCommand } from '@skipcast/contracts'
import { setTimeout as sleep } from 'node:timers/promises'
import { judge } from './domain/judge.ts'
import { readMount } from './domain/mounts.ts'
import type { Question } from './domain/question.ts'
import type { Guards } from './guards.ts'
import { makeRoom } from './make-room.ts'
import type { EpochStore, Feeder, IcecastAdmin } from './ports.ts'
import type { Settling } from './settling.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

/** A listener who comes while a source is being let in waits for it, rather than hear that there is none. */
const LISTENER_WAITS_MS = 500
/** An engine may hear of its channel's start sooner than this role: that much sooner. */
const START_MAY_BE_LATE_MS = 300
const ASK_AGAIN_MS = 10
/** How long Icecast needs to put our filler's request in its line. */
const FILLER_QUEUES_MS = 20

export interface AnswerPorts {
  readonly signingKey: string
  readonly admin: IcecastAdmin
  readonly epochs: EpochStore
  readonly feeder: Pick<Feeder, 'nudge' | 'isOwnPassword'>
  readonly settling: Settling
  readonly guards: Pick<Guards, 'raise'>
  readonly commands: Pick<WantedChannels, 'of' | 'at' | 'mayBeHeard'>
  /** The stops for whose end somebody was waited for already: once each, or a stray engine could hold up everybody. */
  readonly waitedOut: WeakSet<StreamCommand>
  readonly telemetry: Telemetry
}

/**
 * Answers one question of Icecast's: true is yes. Icecast asks on one thread per kind of mount, one question after the other,
 * which is what makes room safe to make: nobody else gets in between. It is also why nothing here may wait for another question.
 * Rejects when a dependency fails; the caller then says no.
 */
export async function answer(ports: AnswerPorts, question: Question, signal: AbortSignal): Promise<boolean> {
  switch (question.kind) {
    case 'source':
      return admitSource(ports, question, signal)
    case 'admin':
      return mayUseAdmin(ports, question)
    case 'source-started':
      if (readMount(question.path)?.kind !== 'channel') return true
      ports.telemetry.switched()
      if (!ports.settling.isUnderWay(question.path)) ports.settling.begin(question.path)
      return true
    case 'source-ended':
      if (readMount(question.path)?.kind !== 'channel') return true
      // The mount may be free now. Our filler's request shall stand in line before those listeners who come after this.
      ports.feeder.nudge(question.path)
      await sleep(FILLER_QUEUES_MS)
      return true
    case 'listener-came':
      if (readMount(question.path)?.kind !== 'channel' || !ports.commands.mayBeHeard(question.path)) return false
      if (!question.isMonitor) ports.guards.raise(question.path)
      await ports.settling.done(question.path, LISTENER_WAITS_MS)
      return true
    default:
      return question satisfies never
  }
}

async function admitSource(
  ports: AnswerPorts,
  { path, user, password }: Extract<Question, { kind: 'source' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const { telemetry, settling } = ports
  const place = readMount(path)
  if (!place || user !== 'source') return telemetry.refused(path, place ? 'wrong-user' : 'no-such-mount')
  if (ports.feeder.isOwnPassword(password)) {
    // No room is made: where anybody else is, Icecast itself turns the filler away.
    telemetry.silenceAdmitted()
    if (place.kind === 'channel' && !settling.isUnderWay(path)) settling.begin(path)
    return true
  }
  const claim = place.kind === 'channel' ? verifySourceToken(ports.signingKey, path, password) : null
  if (!claim) return telemetry.refused(path, 'no-genuine-token')
  const known = await knownAbout(ports, claim)
  let refusal = judge(claim, known)
  if (refusal === 'stopped' && (await isStarted(ports, known.command!, signal)))
    refusal = judge(claim, await knownAbout(ports, claim))
  if (refusal) return telemetry.refused(path, refusal, claim)

  await ports.epochs.raise(claim.channelId, claim.epoch)
  await makeRoom(ports.admin, path, signal)
  settling.begin(path)
  telemetry.admitted(path, claim)
  return true
}

/** Gives the start of a stopped channel a moment to be read. */
async function isStarted({ commands, waitedOut }: AnswerPorts, stop: StreamCommand, signal: AbortSignal): Promise<boolean> {
  const isStillStopped = () => commands.of(stop.channel_id) === stop
  if (waitedOut.has(stop)) return !isStillStopped()
  waitedOut.add(stop)
  const deadline = performance.now() + START_MAY_BE_LATE_MS
  while (isStillStopped() && performance.now() < deadline) await sleep(ASK_AGAIN_MS, undefined, { signal })
  return !isStillStopped()
}

/** Only who feeds the mount by right now: the token of the current epoch, in full. */
async function mayUseAdmin(ports: AnswerPorts, { path, user, password }: Extract<Question, { kind: 'admin' }>): Promise<boolean> {
  const isChannel = readMount(path)?.kind === 'channel'
  const claim = isChannel && user === 'source' ? verifySourceToken(ports.signingKey, path, password) : null
  if (!claim) return false
  const known = await knownAbout(ports, claim)
  return judge(claim, known) === null && known.highestEpoch === claim.epoch
}

async function knownAbout({ epochs, commands }: AnswerPorts, { channelId, mount }: SourceClaim) {
  return {
    highestEpoch: await epochs.highest(channelId),
    command: commands.of(channelId),
    ownerId: commands.at(mount)?.channel_id,
  }
}

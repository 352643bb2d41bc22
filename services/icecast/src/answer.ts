import { verifySourceToken, type SourceClaim, type StreamCommand } from '@skipcast/contracts'
import { setTimeout as sleep } from 'node:timers/promises'
import { isInvited } from './domain/guests.ts'
import { judge } from './domain/judge.ts'
import { otherMount, readMount, type Mount } from './domain/mounts.ts'
import type { Question } from './domain/question.ts'
import type { Guards } from './guards.ts'
import { makeRoom } from './make-room.ts'
import type { EpochStore, Feeder, IcecastAdmin, Signposts } from './ports.ts'
import type { Roster } from './roster.ts'
import type { Settling } from './settling.ts'
import type { Stragglers } from './stragglers.ts'
import type { Telemetry } from './telemetry.ts'
import type { WantedChannels } from './wanted-channels.ts'

/** A listener who comes while a source is being let in waits for it, rather than hear that there is none. */
const LISTENER_WAITS_MS = 500
/** An engine may hear of its channel's start sooner than this role: that much sooner. */
const START_MAY_BE_LATE_MS = 300
const ASK_AGAIN_MS = 10
/** Silence is let in as soon as Icecast asks, after 0.15 s at most. */
const SILENCE_COMES_MS = 500
/** How long Icecast needs to put our filler's request in its line. */
const FILLER_QUEUES_MS = 20

export interface AnswerPorts {
  readonly signingKey: string
  readonly admin: Pick<IcecastAdmin, 'kill' | 'moveListeners' | 'setFallback'>
  readonly epochs: EpochStore
  readonly feeder: Pick<Feeder, 'nudge' | 'isConnected' | 'isOwnPassword'>
  readonly roster: Roster
  readonly signposts: Pick<Signposts, 'of'>
  readonly settling: Settling
  readonly stragglers: Pick<Stragglers, 'letIn'>
  readonly guards: Pick<Guards, 'raise'>
  readonly commands: Pick<WantedChannels, 'of' | 'at' | 'channels' | 'mayBeHeard'>
  /** The stops for whose end somebody was waited for already: once each, or a stray engine could hold up everybody. */
  readonly waitedOut: WeakSet<StreamCommand>
  /** Ms since the epoch. */
  readonly today: () => number
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
      return sourceStarted(ports, question.path)
    case 'source-ended':
      return sourceEnded(ports, question.path)
    case 'listener-came':
      return admitListener(ports, question)
    default:
      return question satisfies never
  }
}

async function admitSource(
  ports: AnswerPorts,
  { path, user, password }: Extract<Question, { kind: 'source' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const { telemetry, settling, roster } = ports
  const place = readMount(path)
  if (!place || user !== 'source') return telemetry.refused(path, place ? 'wrong-user' : 'no-such-mount')
  const { channelMount } = place
  if (ports.feeder.isOwnPassword(password)) {
    // No room is made: where anybody else is, Icecast itself turns our silence away.
    telemetry.silenceAdmitted()
    roster.expect(path, 'silence')
    if (!settling.isUnderWay(channelMount)) settling.begin(channelMount)
    return true
  }
  const claim = verifySourceToken(ports.signingKey, path, password)
  if (!claim) return telemetry.refused(path, 'no-genuine-token')
  const known = await knownAbout(ports, claim, place)
  let refusal = judge(claim, known)
  if (refusal === 'stopped' && (await isStarted(ports, known.command!, signal)))
    refusal = judge(claim, await knownAbout(ports, claim, place))
  if (refusal) return telemetry.refused(path, refusal, claim)

  await ports.epochs.raise(claim.channelId, path, claim.epoch)
  await shelter(ports, place)
  await makeRoom(ports.admin, path, signal)
  roster.cleared(path)
  roster.expect(path, 'engine')
  settling.begin(channelMount)
  telemetry.admitted(path, claim)
  return true
}

/** Those who hear the mount go to the other one until the newcomer runs: best where an engine plays, and at least where there is silence. */
async function shelter({ admin, roster, settling, signposts, feeder }: AnswerPorts, place: Mount): Promise<void> {
  const other = otherMount(place.mount)
  if (roster.playing.has(other)) {
    settling.fetch(place.channelMount)
    await admin.moveListeners(place.mount, other)
  } else if (signposts.of(place.channelMount) === other && feeder.isConnected(place.mount)) {
    // An engine died just now: its listeners wait on our silence here, and that which is to follow it there may not run yet.
    const deadline = performance.now() + SILENCE_COMES_MS
    while (!feeder.isConnected(other) && performance.now() < deadline) await sleep(ASK_AGAIN_MS)
  }
}

function sourceStarted({ telemetry, roster, settling }: AnswerPorts, path: string): boolean {
  const place = readMount(path)
  if (!place) return true
  telemetry.switched()
  roster.runs(path)
  if (!settling.isUnderWay(place.channelMount)) settling.begin(place.channelMount)
  return true
}

async function sourceEnded(ports: AnswerPorts, path: string): Promise<boolean> {
  const { feeder, roster, settling, signposts } = ports
  const place = readMount(path)
  if (!place) return true
  const isOfOneBefore = await isEngineThere(ports, place)
  if (!isOfOneBefore) roster.ended(path)
  // Icecast has taken its listeners to the other mount.
  if (signposts.of(place.channelMount) === path) settling.fetch(place.channelMount)
  settling.begin(place.channelMount)
  if (isOfOneBefore) return true
  // The mount may be free now. Our silence's request shall stand in line before those listeners who come after this.
  feeder.nudge(path)
  await sleep(FILLER_QUEUES_MS)
  return true
}

/** Icecast tells late, on a busy thread: what we know to be an engine, and still runs, is the next one, and the end is that of the one before. */
async function isEngineThere({ admin, feeder, roster }: AnswerPorts, place: Mount): Promise<boolean> {
  const { mount } = place
  if (!roster.engines.has(mount) || roster.isExpected(mount) || feeder.isConnected(mount)) return false
  return admin.setFallback(mount, otherMount(mount)).catch(() => false)
}

async function admitListener(ports: AnswerPorts, listener: Extract<Question, { kind: 'listener-came' }>) {
  const { path, monitor } = listener
  const { settling, stragglers } = ports
  const channelMount = readMount(path)?.channelMount
  if (channelMount === undefined || !ports.commands.mayBeHeard(channelMount)) return false
  if (monitor?.asked === path) return true
  const channel = ports.commands.channels.get(channelMount)
  if (channel?.isSigned && !isInvited(listener, channel.channelId, ports.today())) return false
  if (!monitor) ports.guards.raise(channelMount)
  await settling.done(channelMount, LISTENER_WAITS_MS)
  stragglers.letIn(path)
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
  const place = readMount(path)
  const claim = place && user === 'source' ? verifySourceToken(ports.signingKey, path, password) : null
  if (!place || !claim) return false
  const known = await knownAbout(ports, claim, place)
  return judge(claim, known) === null && known.highestEpoch === claim.epoch
}

async function knownAbout({ epochs, commands }: AnswerPorts, { channelId, mount }: SourceClaim, { channelMount }: Mount) {
  return {
    highestEpoch: await epochs.highest(channelId, mount),
    command: commands.of(channelId),
    ownerId: commands.at(channelMount)?.channel_id,
  }
}

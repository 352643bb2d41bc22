import type { Bus, Outgoing } from '@skipcast/bus'
import { topics, type Topic } from '@skipcast/contracts'
import type { ChannelStore, Outbox, OutboxEntry, ToCommand } from '@skipcast/db'
import { AppError, backoff, isAppError, messageOf, type Logger } from '@skipcast/runtime'

export interface RelayPorts {
  readonly outbox: Outbox
  readonly bus: Pick<Bus, 'publish'>
  readonly channels: Pick<ChannelStore, 'listWanted' | 'listStates' | 'listCommandedSince'>
  readonly toCommand: ToCommand
  readonly logger: Logger
  /** How long a command waited. */
  readonly onRelayed: (ageMs: number) => void
  /** Milliseconds that only grow. */
  readonly clock: () => number
}

const CHANNELS_PER_PAGE = 100
/** From so many on, more are likely to wait: the next are read while these are on their way. */
const READ_AHEAD_FROM = 100
/**
 * What a leader has given to the bus may come there so long after it lost the lead, or died: the bus gives up after 10 s.
 */
export const STRAGGLERS_MS = 15_000
/** TCP sends again what was not answered, each time after twice as long as before: by then after an outage that lasted as long, and after two minutes at most. */
const MOST_RETRANSMIT_MS = 120_000
/** So long a command may have waited for the bus before the leader before us published it. */
const LATELY_MS = 3_600_000
const MOST_TOLD_AGAIN = 10_000

/**
 * The passes that bring what was committed onto the bus, in the order of the commits per channel. An entry is forgotten only once the
 * bus has it: killed at any moment, some is published twice, nothing never. The first pass publishes every wanted channel
 * anew, so that a bus that lost everything (or lives in memory) has it all again; agents know an old generation when they see one.
 * An older command of the leader before can come to the bus after a newer one of ours, and would stand there as the last: so
 * what was published at the beginning of a term is told again, as it is then, once nothing of the leader before can come any more. A leader that lost
 * its lead before that told nothing again: so all that was commanded lately is told too.
 * So it is after an outage of the bus: what was given up then may be on a connection that comes to life again.
 * While the bus is away a pass waits, longer each time; requests never do.
 */
export function outboxRelay(ports: RelayPorts): () => Promise<void> {
  const { outbox, logger, clock } = ports
  const wait = backoff({ firstMs: 200, mostMs: 3000 })
  let tellAgainAt = clock() + STRAGGLERS_MS
  /** The keys that were published since the term began, or since the bus was away; null once they were told again. */
  let early: Set<string> | null = new Set()
  let notBefore = 0
  let awaySince = 0
  let isRebuilt = false

  const drain = async () => {
    let gone: OutboxEntry[] = []
    let entries = await outbox.exchange([], [])
    while (entries.length > 0) {
      const isLong = entries.length >= READ_AHEAD_FROM
      const [sent, ahead] = await both(publish(ports, entries), isLong ? outbox.exchange(gone, entries) : null)
      for (const { topic, key } of sent) if (topic === 'streamCommands') early?.add(key)
      gone = isLong ? sent : [...gone, ...sent]
      entries = ahead ?? []
      if (entries.length > 0) continue
      entries = await outbox.exchange(gone, [])
      gone = []
    }
  }

  return async function relay() {
    if (clock() < notBefore) return
    try {
      if (!isRebuilt) await publishAllWanted(ports)
      isRebuilt = true
      await drain()
      if (early && notBefore === 0 && clock() >= tellAgainAt) {
        const lately = await ports.channels.listCommandedSince(new Date(Date.now() - LATELY_MS), MOST_TOLD_AGAIN)
        await tellAgain(ports, [...new Set([...early, ...lately])])
        early = null
      }
      if (notBefore > 0) {
        logger.info('the bus is back; the outbox is empty')
        tellAgainAt = clock() + STRAGGLERS_MS + Math.min(clock() - awaySince, MOST_RETRANSMIT_MS)
      }
      notBefore = 0
      wait.reset()
    } catch (error) {
      if (!isAppError(error, 'BUS_UNAVAILABLE')) throw error
      if (notBefore === 0) {
        logger.warn({ problem: messageOf(error) }, 'the bus is away; the outbox waits')
        awaySince = clock()
      }
      notBefore = clock() + wait.next()
      early ??= new Set()
    }
  }
}

async function publishAllWanted(ports: RelayPorts): Promise<void> {
  for (let after = ''; ;) {
    const page = await ports.channels.listWanted(after, CHANNELS_PER_PAGE)
    await publishStates(ports, page)
    if (page.length < CHANNELS_PER_PAGE) return
    after = page.at(-1)!.channel.id
  }
}

async function tellAgain(ports: RelayPorts, ids: readonly string[]): Promise<void> {
  for (let first = 0; first < ids.length; first += CHANNELS_PER_PAGE) {
    const page = ids.slice(first, first + CHANNELS_PER_PAGE)
    const states = await ports.channels.listStates(page)
    const there = new Set(states.map(({ channel }) => channel.id))
    await publishStates(
      ports,
      states,
      page.filter((id) => !there.has(id)),
    )
  }
}

/** What stands in the table was committed before, or comes after it. */
async function publishStates(
  { bus, outbox, toCommand }: RelayPorts,
  states: Awaited<ReturnType<ChannelStore['listStates']>>,
  gone: readonly string[] = [],
): Promise<void> {
  const records: Outgoing<'streamCommands'>[] = gone.map((key) => ({ key, value: null }))
  for (const { channel, tracks } of states) {
    records.push({ key: channel.id, value: toCommand(channel, tracks, channel.commandedAt ?? channel.updatedAt) })
  }
  await outbox.confirmLead() // reading took its time
  // Calls of one turn travel together; the bus knows how much fits.
  await Promise.all(records.map((record) => bus.publish('streamCommands', [record])))
}

/** All at once; where one of them is refused for good, one by one, so that it holds up nobody else's. Resolves with those that the bus has. */
async function publish(ports: RelayPorts, entries: readonly OutboxEntry[]): Promise<OutboxEntry[]> {
  try {
    for (const run of runsOf(entries)) await send(ports, run)
    return [...entries]
  } catch (error) {
    if (!isAppError(error, 'MESSAGE_INVALID')) throw error
    const sent: OutboxEntry[] = []
    for (const entry of entries) if (await publishAlone(ports, entry)) sent.push(entry)
    return sent
  }
}

async function publishAlone(ports: RelayPorts, entry: OutboxEntry): Promise<boolean> {
  try {
    await send(ports, [entry])
    return true
  } catch (error) {
    if (!isAppError(error, 'MESSAGE_INVALID')) throw error
    ports.logger.error(
      { outboxId: entry.id, key: entry.key, problem: messageOf(error) },
      'the bus can never take this; it stays in the outbox',
    )
    await ports.outbox.setAside(entry, messageOf(error))
    return false
  }
}

async function send({ bus, onRelayed }: RelayPorts, run: readonly OutboxEntry[]): Promise<void> {
  // The bus validates every message against its topic; the types end at the table.
  const records = run.map(({ key, payload }) => ({ key, value: payload })) as unknown as Outgoing<Topic>[]
  await bus.publish(topicOf(run[0]!), records)
  const now = Date.now()
  for (const { createdAt } of run) onRelayed(Math.max(0, now - createdAt.getTime()))
}

/** Waits for both, whatever becomes of either, then rejects with the first failure. */
async function both<A, B>(first: Promise<A>, second: Promise<B> | null): Promise<[A, B | null]> {
  await Promise.allSettled([first, second])
  return Promise.all([first, second])
}

function topicOf({ topic }: OutboxEntry): Topic {
  if (topic in topics) return topic as Topic
  throw new AppError('MESSAGE_INVALID', `There is no topic ${topic}`)
}

/** Neighbours of the same topic, in order. */
function runsOf(entries: readonly OutboxEntry[]): OutboxEntry[][] {
  const runs: OutboxEntry[][] = []
  for (const entry of entries) {
    const last = runs.at(-1)
    if (last?.[0]!.topic === entry.topic) last.push(entry)
    else runs.push([entry])
  }
  return runs
}

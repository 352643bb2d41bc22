import type { Bus, Outgoing } from '@skipcast/bus'
import { topics, type StreamCommand, type Topic, type Track } from '@skipcast/contracts'
import type { Channel, ChannelStore, Outbox, OutboxEntry } from '@skipcast/db'
import { AppError, backoff, isAppError, messageOf, type Logger } from '@skipcast/runtime'

export interface RelayPorts {
  readonly outbox: Outbox
  readonly bus: Bus
  readonly channels: Pick<ChannelStore, 'listWanted'>
  readonly toCommand: (channel: Channel, tracks: readonly Track[], at: Date) => StreamCommand
  readonly logger: Logger
  /** How long a command waited. */
  readonly onRelayed: (ageMs: number) => void
  /** Milliseconds that only grow. */
  readonly clock: () => number
}

const CHANNELS_PER_PAGE = 100

/**
 * The passes that bring what was committed onto the bus, in the order of the commits per channel. An entry is forgotten only once the
 * bus has it: killed at any moment, some is published twice, nothing never. The first pass publishes every wanted channel
 * anew, so that a bus that lost everything (or lives in memory) has it all again; agents know an old generation when they see one.
 * While the bus is away a pass waits, longer each time; requests never do.
 */
export function outboxRelay(ports: RelayPorts): () => Promise<void> {
  const { outbox, logger, clock } = ports
  const wait = backoff({ firstMs: 200, mostMs: 3000 })
  let notBefore = 0
  let isRebuilt = false

  return async function relay() {
    if (clock() < notBefore) return
    try {
      if (!isRebuilt) await publishAllWanted(ports)
      isRebuilt = true
      for (let entries = await outbox.next(); entries.length > 0; entries = await outbox.next()) {
        await publish(ports, entries)
      }
      if (notBefore > 0) logger.info('the bus is back; the outbox is empty')
      notBefore = 0
      wait.reset()
    } catch (error) {
      if (!isAppError(error, 'BUS_UNAVAILABLE')) throw error
      if (notBefore === 0) logger.warn({ problem: messageOf(error) }, 'the bus is away; the outbox waits')
      notBefore = clock() + wait.next()
    }
  }
}

async function publishAllWanted({ channels, toCommand, bus }: RelayPorts): Promise<void> {
  for (let after = ''; ;) {
    const page = await channels.listWanted(after, CHANNELS_PER_PAGE)
    const messages = page.map(({ channel, tracks }) => toCommand(channel, tracks, channel.commandedAt ?? channel.updatedAt))
    // Calls of one turn travel together; the bus knows how much fits.
    await Promise.all(messages.map((value) => bus.publish('streamCommands', [{ key: value.channel_id, value }])))
    if (page.length < CHANNELS_PER_PAGE) return
    after = page.at(-1)!.channel.id
  }
}

/** All at once; where one of them is refused for good, one by one, so that it holds up nobody else's. */
async function publish(ports: RelayPorts, entries: readonly OutboxEntry[]): Promise<void> {
  try {
    for (const run of runsOf(entries)) {
      await send(ports, run)
    }
  } catch (error) {
    if (!isAppError(error, 'MESSAGE_INVALID')) throw error
    for (const entry of entries) await publishAlone(ports, entry)
  }
}

async function publishAlone(ports: RelayPorts, entry: OutboxEntry): Promise<void> {
  try {
    await send(ports, [entry])
  } catch (error) {
    if (!isAppError(error, 'MESSAGE_INVALID')) throw error
    ports.logger.error(
      { outboxId: entry.id, key: entry.key, problem: messageOf(error) },
      'the bus can never take this; it stays in the outbox',
    )
    await ports.outbox.setAside(entry, messageOf(error))
  }
}

/** Brings them to the bus; only then they are forgotten. */
async function send({ bus, outbox, onRelayed }: RelayPorts, run: readonly OutboxEntry[]): Promise<void> {
  // The bus validates every message against its topic; the types end at the table.
  const records = run.map(({ key, payload }) => ({ key, value: payload })) as unknown as Outgoing<Topic>[]
  await bus.publish(topicOf(run[0]!), records)
  const now = Date.now()
  for (const { createdAt } of run) onRelayed(Math.max(0, now - createdAt.getTime()))
  await outbox.remove(run)
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

import type { Channel, PlaylistTrack } from '@skipcast/db'
import type { Constellation } from './constellation.ts'
import type { Random } from './kernel/random.ts'

/** What somebody asked for and was told to be kept. */
interface Acknowledged {
  readonly channelId: string
  readonly generation: number
  readonly wanted: 'on' | 'off'
}

/** Somebody at the API: asks for things at random, and remembers what was acknowledged. */
export interface Operator {
  /** The newest that was acknowledged, by channel. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>
  /** When something was asked of the channel last that nobody answered: it may have been done. */
  readonly unanswered: ReadonlyMap<string, number>
  /** Asks for one thing. */
  act(): void
  readonly count: number
}

const ANSWER_MS = 10_000
const LIBRARY = Array.from({ length: 6 }, (_, index): PlaylistTrack => {
  const sha256 = `${index}`.repeat(64)
  return {
    media_id: `m${index}`,
    sha256,
    size_bytes: 1000,
    duration_ms: 12_000,
    title: `Title ${index}`,
    artist: 'Artist',
    loudness_lufs: null,
    peak_dbfs: null,
    cue_in_ms: 0,
    cue_out_ms: null,
  }
})

export function playlistOf(random: Random): PlaylistTrack[] {
  const first = random.integer(0, LIBRARY.length - 1)
  return Array.from({ length: random.integer(1, 4) }, (_, index) => LIBRARY[(first + index) % LIBRARY.length]!)
}

export function operator(constellation: Constellation, random: Random): Operator {
  const { world, net, apis, database, channels } = constellation
  const acknowledged = new Map<string, Acknowledged>()
  const unanswered = new Map<string, number>()
  let count = 0

  const request = async (channelId: string, what: string, work: () => Promise<Channel>, at: (typeof apis)[number]) => {
    count += 1
    world.trace.note(world.now, 'operator', `${what} ${channelId} (${at.name})`)
    const options = { machine: at.machine, timeoutMs: ANSWER_MS, failure: (why: string) => new Error(why) }
    try {
      const channel = await net.call(constellation.operator, () => (at.api ? at.process : null), options, work)
      const { generation, wanted } = channel
      world.trace.note(world.now, 'operator', `${what} ${channelId}: generation ${generation}, ${wanted}`)
      if ((acknowledged.get(channelId)?.generation ?? -1) <= generation)
        acknowledged.set(channelId, { channelId, generation, wanted })
    } catch (error) {
      unanswered.set(channelId, world.now)
      world.trace.note(world.now, 'operator', `${what} ${channelId}: ${(error as Error).message}`)
    }
  }

  const drain = async (serverId: string, isDrained: boolean, at: (typeof apis)[number]) => {
    count += 1
    const what = `${isDrained ? 'drain' : 'undrain'} ${serverId}`
    world.trace.note(world.now, 'operator', `${what} (${at.name})`)
    const options = { machine: at.machine, timeoutMs: ANSWER_MS, failure: (why: string) => new Error(why) }
    await net
      .call(
        constellation.operator,
        () => (at.api ? at.process : null),
        options,
        () => at.api!.drain(serverId, isDrained),
      )
      .catch((error: unknown) => world.trace.note(world.now, 'operator', `${what}: ${(error as Error).message}`))
  }

  return {
    acknowledged,
    unanswered,
    get count() {
      return count
    },
    act() {
      const channelId = random.pick(channels)
      const at = random.pick(apis)
      const dice = random.next()
      const serverId = random.pick(constellation.servers).name
      const tracks = playlistOf(random)
      const moment = random.chance(0.3) ? 'track_end' : 'now'
      const isDrained = random.chance(0.5)
      const replicas = random.chance(0.7) ? 2 : 1
      world.within(constellation.operator, () => {
        if (dice < 0.4) return void request(channelId, 'start', () => at.api!.start(channelId), at)
        if (dice < 0.6) return void request(channelId, 'stop', () => at.api!.stop(channelId), at)
        if (dice < 0.8) {
          const to = { serverId, at: moment } as const
          return void request(channelId, `move to ${serverId} (${moment})`, () => at.api!.move(channelId, to), at)
        }
        if (dice < 0.84) return void drain(serverId, isDrained, at)
        if (dice < 0.92) return void request(channelId, `${replicas} replicas`, () => at.api!.replicate(channelId, replicas), at)
        return void request(channelId, 'playlist', () => database.tables.replaceTracks(channelId, tracks), at)
      })
    },
  }
}

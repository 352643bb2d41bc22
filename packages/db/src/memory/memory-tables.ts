import { AppError } from '@skipcast/runtime'
import type { ChannelRows } from '../stores/change-channel.ts'
import { draftChange, type Draft } from '../stores/channel-writes.ts'
import type { ChannelStore } from '../stores/channels.ts'
import type { Outbox, OutboxEntry } from '../stores/outbox.ts'
import type { Channel, ChannelChange, PlacedCount, PlaylistTrack, ToCommand } from '../stores/records.ts'

/** Rows that one reading of the outbox takes. */
const MAX_ENTRIES = 500

/**
 * The tables of channels, their playlists and the outbox, in memory: each call is done as a whole, at once. For the simulation, whose database must be
 * as fast as the rest of it and the same in each run; held to the suite that the real tables are held to. Knows nothing of accounts and media.
 */
export interface MemoryTables {
  readonly rows: ChannelRows
  readonly channels: Pick<
    ChannelStore,
    'remove' | 'listWanted' | 'listStates' | 'listCommandedSince' | 'listMisplaced' | 'readBooks'
  >
  readonly outbox: Outbox
  /** All channels as they stand, in order of their ids. */
  read(): readonly Channel[]
  /** Servers that shall be empty. */
  readonly drained: Set<string>
  /** A channel that is off, under the id that is given. */
  create(channel: Pick<Channel, 'id' | 'slug'> & Partial<Channel>): Channel
  /** Gives a channel another playlist, as attaching and detaching do. Rejects as they do. */
  replaceTracks(channelId: string, tracks: readonly PlaylistTrack[]): Promise<Channel>
}

export interface MemoryTablesOptions {
  readonly toCommand: ToCommand
  /** Called after each commit that put something into the outbox, as NOTIFY does. */
  readonly onNotify: () => void
  /** Sees each channel as it was just written. */
  readonly onWrite?: (channel: Channel) => void
}

export function memoryTables({ toCommand, onNotify, onWrite }: MemoryTablesOptions): MemoryTables {
  const channels = new Map<string, Channel>()
  const playlists = new Map<string, readonly PlaylistTrack[]>()
  let outbox: OutboxEntry[] = []
  const setAside = new Set<string>()
  const drained = new Set<string>()
  let lastEntry = 0

  const tracksOf = (id: string) => [...(playlists.get(id) ?? [])]
  const inOrder = () => [...channels.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const require = (id: string): Channel => {
    const channel = channels.get(id)
    if (!channel) throw new AppError('NOT_FOUND', 'There is no such channel.')
    return channel
  }
  const enqueue = (key: string, payload: unknown) => {
    outbox.push({ id: `${++lastEntry}`, topic: 'streamCommands', key, payload, createdAt: new Date() })
    onNotify()
  }
  const writeNow = ({ channel, command }: Draft): boolean => {
    if (channels.get(channel.id)?.revision !== channel.revision - 1) return false
    channels.set(channel.id, channel)
    onWrite?.(channel)
    if (command) enqueue(channel.id, command)
    return true
  }
  /** In the turns that making a draft takes, others may write: then it is done again, as under a lock it would have waited. */
  const write = async (id: string, decide: (channel: Channel) => ChannelChange | null): Promise<Channel> => {
    for (;;) {
      const channel = require(id)
      const change = decide(channel)
      if (!change) return channel
      const draft = await draftChange(channel, change, { toCommand, tracks: async () => tracksOf(id) })
      if (writeNow(draft)) return draft.channel
    }
  }
  const stateOf = (channel: Channel) => ({ channel, tracks: tracksOf(channel.id) })

  return {
    rows: {
      find: async (name) => channels.get(name) ?? [...channels.values()].find(({ slug }) => slug === name) ?? null,
      tracks: async (id) => tracksOf(id),
      write: async (draft) => writeNow(draft),
      changeLocked: write,
    },
    channels: {
      async remove(id) {
        if (require(id).wanted === 'on') await write(id, ({ wanted }) => (wanted === 'on' ? { wanted: 'off' } : null))
        enqueue(id, null)
        channels.delete(id)
        playlists.delete(id)
        return []
      },
      listWanted: async (after, limit) =>
        inOrder()
          .filter(({ id, wanted }) => wanted === 'on' && id > after)
          .slice(0, limit)
          .map(stateOf),
      listStates: async (ids) =>
        inOrder()
          .filter(({ id }) => ids.includes(id))
          .map(stateOf),
      listCommandedSince: async (since, limit) =>
        inOrder()
          .filter(({ commandedAt }) => commandedAt !== null && commandedAt >= since)
          .toSorted((a, b) => b.commandedAt!.getTime() - a.commandedAt!.getTime())
          .slice(0, limit)
          .map(({ id }) => id),
      async listMisplaced(settled, limit) {
        const servers = new Map(settled.map((server) => [server.id, server]))
        const suits = ({ serverLabels }: Channel, id: string | null) => {
          const labels = id === null ? undefined : servers.get(id)?.labels
          if (!labels) return false
          return Object.entries(serverLabels).every(([name, value]) => labels[name] === value)
        }
        const isPlaced = (channel: Channel) => {
          const { serverId, standbyServerId, pinnedServerId, replicas } = channel
          if (!suits(channel, serverId) || (pinnedServerId !== null && serverId !== pinnedServerId)) return false
          if (replicas === 1) return standbyServerId === null
          return suits(channel, standbyServerId) && standbyServerId !== serverId && standbyServerId !== pinnedServerId
        }
        const awaitsNobody = ({ handOver, movedFrom }: Channel) =>
          handOver === 'track_end' && movedFrom !== null && !servers.has(movedFrom)
        return inOrder()
          .filter((channel) => channel.wanted === 'on' && (!isPlaced(channel) || awaitsNobody(channel)))
          .slice(0, limit)
      },
      async readBooks() {
        const counts = new Map<string, PlacedCount>()
        for (const { wanted, serverId, standbyServerId, mode, format } of channels.values()) {
          for (const id of [serverId, standbyServerId]) {
            if (wanted === 'off' || id === null) continue
            const key = `${id} ${mode} ${format}`
            counts.set(key, { serverId: id, mode, format, channels: (counts.get(key)?.channels ?? 0) + 1 })
          }
        }
        return { placed: [...counts.values()], drained: [...drained] }
      },
    },
    outbox: {
      async exchange(forget, held) {
        const forgotten = new Set(forget.map(({ id }) => id))
        outbox = outbox.filter(({ id }) => !forgotten.has(id))
        const away = new Set(held.map(({ id }) => id))
        return outbox.filter(({ id }) => !away.has(id) && !setAside.has(id)).slice(0, MAX_ENTRIES)
      },
      setAside: async ({ id }) => void setAside.add(id),
      confirmLead: async () => {},
    },
    read: inOrder,
    drained,
    create(given) {
      const now = new Date()
      const channel: Channel = {
        ownerId: '',
        name: given.slug,
        description: '',
        genre: '',
        genreIds: [],
        privacy: 'public',
        mode: 'copy',
        format: 'mp3',
        bitrateKbps: 128,
        crossfadeMs: 0,
        loudnessLufs: null,
        wanted: 'off',
        generation: 0,
        replicas: 1,
        serverLabels: {},
        pinnedServerId: null,
        epoch: 0,
        serverId: null,
        primaryMount: 'own',
        standbyEpoch: 0,
        standbyServerId: null,
        movedAt: null,
        movedFrom: null,
        movedBecause: null,
        handOver: null,
        revision: 0,
        commandedAt: null,
        createdAt: now,
        updatedAt: now,
        artworkSha256: null,
        maxListeners: null,
        listeners: null,
        likes: 0,
        views: 0,
        deletedAt: null,
        ...given,
      }
      channels.set(channel.id, channel)
      return channel
    },
    async replaceTracks(id, tracks) {
      const before = tracksOf(id)
      playlists.set(id, tracks)
      try {
        return await write(id, () => ({}))
      } catch (error) {
        playlists.set(id, before)
        throw error
      }
    },
  }
}

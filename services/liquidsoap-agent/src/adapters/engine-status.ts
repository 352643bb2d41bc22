import { z } from 'zod'
import type { ChannelRecord, RunningChannel } from '../domain/engine.ts'
import { parseRecord } from '../domain/engine-event.ts'
import type { Answer } from './engine-socket.ts'

/** What `hub.status` answers: see liquidsoap/README.md. */
const status = z.object({
  added: z.int(),
  channels: z.array(
    z.object({
      key: z.string(),
      id: z.string(),
      data: z.string(),
      connected: z.boolean(),
      problem: z.string(),
      playable: z.boolean(),
      /** Absent in an engine that was started by an older agent. */
      blank: z.boolean().default(false),
      time: z.number(),
      track: z.string(),
      title: z.string(),
      artist: z.string(),
      since: z.number(),
      /** Absent in an engine that was started by an older agent. */
      sent: z.number().optional(),
      /** Absent in an engine that was started by an older agent. */
      play: z.int().nonnegative().default(0),
    }),
  ),
})

export interface EngineStatus {
  readonly channelsAdded: number
  readonly channels: readonly RunningChannel[]
}

/** Reads an engine's status. Throws when it is none. */
export function readStatus(engineId: string, answer: Answer): EngineStatus {
  const { added, channels } = status.parse(answer)
  return {
    channelsAdded: added,
    channels: channels.map((channel) => ({
      ...(parseRecord(channel.data) ?? foreignRecord(channel.key)),
      live: {
        recordId: channel.id,
        isConnected: channel.connected,
        problem: channel.problem,
        isPlayable: channel.playable,
        isBlank: channel.blank,
        playedS: channel.time,
        track:
          channel.track === ''
            ? null
            : {
                playId: channel.play === 0 ? null : `${engineId}.${channel.play}`,
                mediaId: channel.track,
                title: channel.title,
                artist: channel.artist,
                startedAt: Math.round(channel.since * 1000),
                sentAt: Math.round((channel.sent ?? channel.since) * 1000),
              },
      },
    })),
  }
}

/** A channel that was added by an agent of another version: older than whatever is wanted, so that it is replaced. */
function foreignRecord(channelId: string): ChannelRecord {
  return { channelId, slug: channelId, mount: '/', epoch: -1, generation: -1, settings: '', content: '' }
}

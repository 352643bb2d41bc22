import type { StartStream, Track } from '@skipcast/contracts'
import { AppError } from '@skipcast/runtime'
import { overlapMs } from '../domain/position.ts'
import type { WantedStream } from '../domain/wanted.ts'
import type { EngineSocket } from './engine-socket.ts'
import { headerText } from './icecast-text.ts'

/** Either of a channel's two. */
const MOUNT = /^(\/w)?\/[a-z0-9][a-z0-9-]{0,99}$/
/** Later than any file ends. Liquidsoap takes a negative one for a mistake, and tells so at every track. */
const NEVER_SECONDS = 86_400
const TOKEN = /^[\u0021-\u007e]{1,500}$/

/**
 * The argument of `hub.add`, but for the plan. Everything that goes to Icecast is plain here: Liquidsoap escapes nothing.
 * Throws ENGINE_REFUSED for a mount or a token that would not be one.
 */
export function addArgument({ record, command, offsetMs = 0 }: WantedStream, icecast: { host: string; port: number }) {
  if (!MOUNT.test(command.mount) || !TOKEN.test(command.source_token)) {
    throw new AppError('ENGINE_REFUSED', 'The mount or the token is not one that Icecast takes')
  }
  return {
    key: record.channelId,
    data: JSON.stringify(record),
    mode: command.mode,
    format: command.format ?? 'mp3',
    bitrate: command.bitrate_kbps,
    crossfade: (command.crossfade_ms ?? 0) / 1000,
    offset: offsetMs / 1000,
    host: icecast.host,
    port: icecast.port,
    password: command.source_token,
    mount: command.mount,
    name: headerText(command.name),
    description: headerText(command.description),
    genre: headerText(command.genre),
  }
}

/** How a track of a plan is mixed. */
export function mixOf(track: Track, { crossfade_ms = 0 }: StartStream) {
  const cueOut = track.cue_out_ms
  return {
    gain: track.gain_db ?? 0,
    cue_in: (track.cue_in_ms ?? 0) / 1000,
    cue_out: cueOut === undefined ? NEVER_SECONDS : cueOut / 1000,
    crossfade: overlapMs(track, crossfade_ms) / 1000,
  }
}

/** Sends a command; an answer of no with the code `fine` is as good as yes. Rejects with ENGINE_UNREACHABLE or ENGINE_REFUSED. */
export async function command(
  socket: EngineSocket,
  name: 'add' | 'load' | 'remove',
  argument: object,
  fine?: 'exists' | 'unknown',
): Promise<void> {
  const answer = await socket.ask(name, argument)
  if (!answer.ok && answer.code !== fine)
    throw new AppError('ENGINE_REFUSED', `The engine refused to ${name} the channel (${answer.code})`)
}

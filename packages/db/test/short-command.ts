import { stamp, type StreamCommand } from '@skipcast/contracts'
import type { ToCommand } from '../src/stores/records.ts'

/** Messages as short as can be: what the API puts into them is tested there. */
export const shortCommand: ToCommand = (channel, tracks, at) =>
  ({
    ...stamp({ application: 'a', environment: 'e' }, at.getTime(), `${channel.id}:${channel.generation}`),
    event: channel.wanted === 'on' ? 'start_stream' : 'stop_stream',
    generation: channel.generation,
    epoch: channel.epoch,
    server_id: channel.serverId,
    tracks,
  }) as object as StreamCommand

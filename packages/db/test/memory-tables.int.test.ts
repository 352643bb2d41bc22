import { changeChannel } from '../src/stores/change-channel.ts'
import { memoryTables } from '../src/memory/memory-tables.ts'
import type { PlaylistTrack } from '../src/stores/records.ts'
import { channelTablesContract } from './channel-tables.contract.ts'
import { shortCommand } from './short-command.ts'

const track = (index: number): PlaylistTrack => ({
  media_id: `m${index}`,
  sha256: 'a'.repeat(64),
  size_bytes: 1,
  duration_ms: 1,
  title: 't',
  artist: '',
  loudness_lufs: null,
  peak_dbfs: null,
  cue_in_ms: 0,
  cue_out_ms: null,
})
const tracks = (count: number) => Array.from({ length: count }, (_, index) => track(index))

channelTablesContract('in memory', async () => {
  const tables = memoryTables({ toCommand: shortCommand, onNotify() {} })
  let made = 0
  return {
    channels: {
      ...tables.channels,
      find: (name) => tables.rows.find(name),
      change: (seen, decide) => changeChannel(tables.rows, shortCommand, seen, decide),
    },
    outbox: tables.outbox,
    async make(count) {
      const { id } = tables.create({ id: `channel-${++made}`, slug: `slug-${made}` })
      return tables.replaceTracks(id, tracks(count))
    },
    leaveTracks: (id, count) => tables.replaceTracks(id, tracks(count)),
    async [Symbol.asyncDispose]() {},
  }
})

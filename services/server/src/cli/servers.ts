import type { Server } from '../api-client.ts'
import { DONE, type Call, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { printList } from './print-list.ts'
import { upgrade } from './upgrade.ts'

const list: Command = {
  name: 'servers list',
  takes: '[--json]',
  summary: 'List the servers that run engines, what they can carry and what they have.',
  arguments: [0, 0],
  options: { json: { type: 'boolean' } },
  async run(call) {
    const servers = await (await openApi(call)).servers()
    const none = 'No server ever told of itself. Start one with the role liquidsoap.'
    return printList(call, servers, { headings: HEADINGS, row, none })
  },
}

const drain: Command = {
  name: 'servers drain',
  takes: 'SERVER',
  summary:
    'Empty a server: its channels move to others, a few each second, and it gets no more. servers list shows what is left.',
  arguments: [1, 1],
  run: (call) => decide('drain', call),
}

const undrain: Command = {
  name: 'servers undrain',
  takes: 'SERVER',
  summary: 'Let a server have channels again. Those that left come back only as they need a place.',
  arguments: [1, 1],
  run: (call) => decide('undrain', call),
}

export const serverCommands: readonly Command[] = [list, drain, undrain, upgrade]

const HEADINGS = ['SERVER', 'STATE', 'CHANNELS', 'COST', 'CAPACITY', 'LABELS', 'LIQUIDSOAP', 'LAST HEARD']

async function decide(to: 'drain' | 'undrain', call: Call): Promise<number> {
  const server = await (await openApi(call)).drain(call.arguments[0]!, to)
  call.terminal.print(`${server.id}: ${server.state}, with ${server.placed.channels} channels`)
  return DONE
}

function row({ id, state, placed, capacity, labels, versions, last_heard_at: lastHeardAt }: Server): string[] {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return [
    id,
    state,
    String(placed.channels),
    String(placed.cost),
    String(capacity),
    words.join(',') || '-',
    versions['liquidsoap'] ?? '-',
    lastHeardAt,
  ]
}

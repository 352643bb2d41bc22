import type { Placement } from '../api-client.ts'
import { DONE, textOption, UsageError, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { table } from './terminal.ts'

const MOMENTS = ['now', 'track_end']

const move: Command = {
  name: 'channels move',
  takes: 'CHANNEL SERVER [--at now|track_end]',
  summary: 'Move a channel to another server, where it stays until it can not. channels explain tells which could have it.',
  arguments: [2, 2],
  options: { at: { type: 'string' } },
  async run(call) {
    const [channel, server] = call.arguments as [string, string]
    const at = textOption(call, 'at') ?? 'now'
    if (!MOMENTS.includes(at)) throw new UsageError(`--at is one of ${MOMENTS.join(', ')}`)
    const moved = await (await openApi(call)).move(channel, { server_id: server, at })
    call.terminal.print(`${moved.channel.slug}: on its way to ${server}. Follow it: channels watch ${moved.channel.slug}`)
    return DONE
  },
}

const explain: Command = {
  name: 'channels explain',
  takes: 'CHANNEL [--json]',
  summary: 'Say where a channel is and why, which servers could have it, and why the others could not.',
  arguments: [1, 1],
  options: { json: { type: 'boolean' } },
  async run(call) {
    const found = await (await openApi(call)).placement(call.arguments[0]!)
    if (call.options['json'] === true) call.terminal.print(JSON.stringify(found))
    else for (const line of describe(found)) call.terminal.print(line)
    return DONE
  },
}

export const placementCommands: readonly Command[] = [move, explain]

function describe({ primary, standby, moved, ...found }: Placement): string[] {
  const labels = Object.entries(found.labels).map(([key, value]) => `${key}=${value}`)
  const facts: [string, string][] = [
    ['server', primary ? describeSeat(primary) : 'none yet'],
    ...(moved
      ? ([['because', `${moved.because} (${moved.at}${moved.from ? `, from ${moved.from}` : ''})`]] as [string, string][])
      : []),
    ['second', standby ? describeSeat(standby) : found.replicas === 2 ? 'none yet' : 'not wanted'],
    ['costs', String(found.cost)],
    ['needs', labels.join(', ') || 'no label'],
    ['pinned to', found.pinned_server ?? 'nothing'],
    ...(found.problem ? ([['problem', found.problem]] as [string, string][]) : []),
  ]
  const rows = found.servers.map(({ id, has, load, capacity, refused_because: refusals }) => [
    id,
    `${load} of ${capacity}`,
    has ?? (refusals.length === 0 ? 'could have it' : 'no'),
    refusals.join('; '),
  ])
  const more = found.servers_total - found.servers.length
  return [
    ...table(facts),
    '',
    ...table([['SERVER', 'CARRIES', 'THIS CHANNEL', 'WHY NOT'], ...rows]),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]
}

function describeSeat({ server, epoch, mount }: NonNullable<Placement['primary']>): string {
  return `${server}, epoch ${epoch}, on ${mount}`
}

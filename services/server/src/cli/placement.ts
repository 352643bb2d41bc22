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

const place: Command = {
  name: 'channels place',
  takes: 'CHANNEL [--replicas 1|2] [--labels KEY=VALUE,…] [--pin SERVER]',
  summary:
    'Say where a channel may be: on how many servers it plays (the second takes over when the first is lost), what these must have (--labels "" for nothing), the only one that may have it (--pin "" for any).',
  arguments: [1, 1],
  options: { replicas: { type: 'string' }, labels: { type: 'string' }, pin: { type: 'string' } },
  async run(call) {
    const [replicas, labels, pin] = ['replicas', 'labels', 'pin'].map((name) => textOption(call, name))
    const wish = {
      ...(replicas !== undefined && { replicas: Number(replicas) }),
      ...(labels !== undefined && { labels: readLabels(labels) }),
      ...(pin !== undefined && { pinned_server: pin || null }),
    }
    if (Object.keys(wish).length === 0) throw new UsageError('give --replicas, --labels or --pin')
    if (replicas !== undefined && !['1', '2'].includes(replicas)) throw new UsageError('--replicas is 1 or 2')
    for (const line of describe(await (await openApi(call)).place(call.arguments[0]!, wish))) call.terminal.print(line)
    return DONE
  },
}

function readLabels(text: string): Record<string, string> {
  const pairs = text === '' ? [] : text.split(',').map((pair) => pair.trim().split('='))
  if (pairs.some((pair) => pair.length !== 2)) throw new UsageError('--labels is KEY=VALUE,KEY=VALUE')
  return Object.fromEntries(pairs)
}

export const placementCommands: readonly Command[] = [place, move, explain]

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

import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal, type ApiClient, type ChannelStream } from '../api-client.ts'
import { DONE, FAILED, textOption, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { printList } from './print-list.ts'
import { tellFailure } from './tell-failure.ts'
import { plain, table } from './terminal.ts'

const WATCH_EVERY_MS = 500
/** So many questions about channels at once. */
const ASKED_AT_ONCE = 16

const list: Command = {
  name: 'channels list',
  takes: '[--json]',
  summary: 'List all channels and how they are.',
  arguments: [0, 0],
  options: { json: { type: 'boolean' } },
  async run(call) {
    const streams = await allStreams(await openApi(call))
    const none = 'There are no channels yet. Make one: channels create NAME'
    return printList(call, streams, { headings: HEADINGS, row, none })
  },
}

const create: Command = {
  name: 'channels create',
  takes: 'NAME [--slug SLUG] [--description TEXT] [--genre TEXT]',
  summary: 'Make a channel. It needs music (media add FILE… --channel SLUG) before it can start.',
  arguments: [1, 1],
  options: { slug: { type: 'string' }, description: { type: 'string' }, genre: { type: 'string' } },
  async run(call) {
    const api = await openApi(call)
    const given = Object.fromEntries(
      (['slug', 'description', 'genre'] as const).flatMap((name) => {
        const value = textOption(call, name)
        return value === undefined ? [] : [[name, value]]
      }),
    )
    const { id, slug } = await api.createChannel({ name: call.arguments[0]!, ...given })
    call.terminal.print(`${slug}  ${id}`)
    return DONE
  },
}

const start: Command = {
  name: 'channels start',
  takes: 'CHANNEL',
  summary: 'Put a channel on air. Returns once the wish is safely kept; channels watch shows what becomes of it.',
  arguments: [1, 1],
  run: (call) => switchTo('start', call),
}

const stop: Command = {
  name: 'channels stop',
  takes: 'CHANNEL',
  summary: 'Take a channel off air.',
  arguments: [1, 1],
  run: (call) => switchTo('stop', call),
}

const status: Command = {
  name: 'channels status',
  takes: 'CHANNEL [--json]',
  summary: 'Show how a channel is: what was observed, never what was wished. Exit code 1 when it is failing or silent.',
  arguments: [1, 1],
  options: { json: { type: 'boolean' } },
  async run(call) {
    const found = await (await openApi(call)).status(call.arguments[0]!)
    if (call.options['json'] === true) call.terminal.print(JSON.stringify(found))
    else for (const line of describe(found)) call.terminal.print(line)
    return ['failing', 'silent'].includes(found.stream.phase) ? FAILED : DONE
  },
}

const watch: Command = {
  name: 'channels watch',
  takes: '[CHANNEL…]',
  summary: 'Print a line whenever a channel (default: any) changes its phase, its title or its listeners, until Ctrl-C.',
  arguments: [0, 1000],
  async run(call) {
    const api = await openApi(call)
    const signal = call.interrupted()
    const seen = new Map<string, string>()
    let problem: string | null = null
    while (!signal.aborted) {
      try {
        const streams = call.arguments.length > 0 ? await streamsOf(api, call.arguments) : await allStreams(api)
        for (const found of streams) {
          const text = row(found).join('  ')
          if (seen.get(found.channel.id) === text) continue
          seen.set(found.channel.id, text)
          call.terminal.print(`${new Date().toISOString()}  ${text}`)
        }
        if (problem !== null) call.terminal.note('The API answers again.')
        problem = null
      } catch (error) {
        // What was seen once is watched through an outage; what never was there is a mistake.
        if (seen.size === 0) throw error
        const told = tellFailure(error)
        if (told !== problem) call.terminal.note(told)
        problem = told
      }
      await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
    return DONE
  },
}

export const channelCommands: readonly Command[] = [list, create, start, stop, status, watch]

async function switchTo(to: 'start' | 'stop', call: Parameters<Command['run']>[0]): Promise<number> {
  const { channel, stream } = await (await openApi(call)).switchStream(call.arguments[0]!, to)
  call.terminal.print(`${channel.slug}: ${to} is on its way (now ${stream.phase}). Follow it: channels watch ${channel.slug}`)
  return DONE
}

const HEADINGS = ['SLUG', 'WANTED', 'PHASE', 'LISTENERS', 'SERVER', 'NOW PLAYING OR PROBLEM']

function row({ channel, stream }: ChannelStream): string[] {
  const listeners = stream.listeners === null ? '-' : String(stream.listeners)
  const problem = stream.phase === 'on_air' ? null : stream.last_error
  const news = problem ? `${problem.message} ${problem.hint}` : stream.now_playing ? titleOf(stream.now_playing) : ''
  return [
    channel.slug,
    channel.state,
    stream.stale ? `${stream.phase}?` : stream.phase,
    listeners,
    stream.server ?? '-',
    plain(news),
  ]
}

function describe({ channel, stream }: ChannelStream): string[] {
  return table(
    [
      ['channel', `${plain(channel.name)} (${channel.slug})`],
      ['wanted', channel.state],
      ['phase', stream.stale ? `${stream.phase}, when last seen` : stream.phase],
      ['seen', stream.observed_at ?? 'never'],
      ['listen at', stream.listen_url],
      ['listeners', stream.listeners === null ? 'not known' : String(stream.listeners)],
      ['server', stream.server ?? 'none yet'],
      ...(stream.standby ? [['second', describeStandby(stream.standby)]] : []),
      ['now playing', stream.now_playing ? plain(titleOf(stream.now_playing)) : 'nothing'],
      ...(stream.last_error
        ? [
            ['last problem', plain(`${stream.last_error.message} (${stream.last_error.code})`)],
            ['what to do', plain(stream.last_error.hint)],
          ]
        : []),
    ].map(([name, value]) => [name!, value!]),
  )
}

function describeStandby({ server, phase, last_error: problem }: NonNullable<ChannelStream['stream']['standby']>): string {
  const said = problem && phase !== 'on_air' ? `: ${plain(`${problem.message} ${problem.hint}`)}` : ''
  return `${server ?? 'none yet'}, ${phase}${said}`
}

function titleOf({ artist, title }: { artist: string; title: string }): string {
  return artist === '' ? title : `${artist} - ${title}`
}

async function allStreams(api: ApiClient): Promise<ChannelStream[]> {
  return streamsOf(
    api,
    (await api.channels()).map(({ id }) => id),
  )
}

/** The streams in the order asked for; a channel that was deleted meanwhile is left out, if there are others. */
async function streamsOf(api: ApiClient, channels: readonly string[]): Promise<ChannelStream[]> {
  const found: ChannelStream[] = []
  for (let from = 0; from < channels.length; from += ASKED_AT_ONCE) {
    const answers = channels.slice(from, from + ASKED_AT_ONCE).map((channel) =>
      api.status(channel).catch((error: unknown) => {
        if (channels.length > 1 && isRefusal(error, 404)) return null
        throw error
      }),
    )
    found.push(...(await Promise.all(answers)).filter((answer) => answer !== null))
  }
  return found
}

import type { StandingRecord } from '@skipcast/bus'
import { deadLetterTopic, type Topic } from '@skipcast/contracts'
import { DONE, textOption, type Command } from './command.ts'
import { openKafka, topicCalled } from './open-kafka.ts'

const DEAD_LETTER_SUFFIX = deadLetterTopic('')

export const kafkaConsume: Command = {
  name: 'kafka:consume',
  takes: '[--topic TOPIC] [--from-beginning]',
  summary:
    'Print the messages of a topic (default: all) as JSON lines until Ctrl-C. Only what comes from now on, unless told otherwise. No group of the services notices. Source tokens are left out.',
  arguments: [0, 0],
  options: { topic: { type: 'string', short: 't' }, 'from-beginning': { type: 'boolean' } },
  async run(call) {
    await using kafka = await openKafka(call)
    const wanted = textOption(call, 'topic')
    const topicNames = wanted === undefined ? Object.values(kafka.topicNames) : [nameOf(wanted, kafka.topicNames)]
    const signal = call.interrupted()
    const there = new Set(await kafka.inspector.topicNames())
    const missing = topicNames.filter((name) => !there.has(name))
    if (missing.length > 0) call.terminal.note(`Not there yet: ${missing.join(', ')}. They are made when Skipcast starts.`)
    const present = topicNames.filter((name) => there.has(name))
    if (present.length === 0) return DONE
    call.terminal.note(`Following ${present.join(', ')}. Ctrl-C ends it.`)
    const what = call.options['from-beginning'] === true ? 'everything and what comes' : 'what comes'
    await kafka.inspector.read({
      topicNames: present,
      what,
      signal,
      onRecord: (record) => call.terminal.print(JSON.stringify(show(record))),
    })
    return DONE
  },
}

/** The name of a topic of ours, or of its dead letters. */
function nameOf(name: string, names: Readonly<Record<Topic, string>>): string {
  if (!name.endsWith(DEAD_LETTER_SUFFIX)) return names[topicCalled(name, names)]
  return deadLetterTopic(names[topicCalled(name.slice(0, -DEAD_LETTER_SUFFIX.length), names)])
}

function show({ topicName, partition, message }: StandingRecord) {
  const { offset, timestamp, key, value, headers } = message
  const texts = Object.entries(headers ?? {}).map(([name, header]) => [name, String(header)])
  return {
    topic: topicName,
    partition,
    offset: Number(offset),
    time: new Date(Number(timestamp)).toISOString(),
    key: key?.toString('utf8') ?? null,
    ...(texts.length > 0 && { headers: Object.fromEntries(texts) }),
    value: readable(value?.toString('utf8') ?? null),
  }
}

/** The message as JSON, or as text where it is none; who reads along learns no password. */
function readable(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text, (name, value: unknown) => (name === 'source_token' ? '[secret]' : value))
  } catch {
    return text
  }
}

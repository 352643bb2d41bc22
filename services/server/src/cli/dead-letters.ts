import { deadLetterTopic, topics, type Topic } from '@skipcast/contracts'
import { DONE, FAILED, textOption, type Call, type Command } from './command.ts'
import { openKafka, topicCalled, type OpenKafka } from './open-kafka.ts'
import { plain, table } from './terminal.ts'

const HEADINGS = ['TIME', 'SOURCE', 'GROUP', 'KEY', 'REPLAYED', 'REASON']

const list: Command = {
  name: 'dlq list',
  takes: '[--topic TOPIC] [--json]',
  summary:
    'List the dead letters: records that nobody could handle, with the reason, where they come from and when; the newest 1000 of each topic. --json shows their values, too.',
  arguments: [0, 0],
  options: { topic: { type: 'string', short: 't' }, json: { type: 'boolean' } },
  async run(call) {
    await using kafka = await openKafka(call)
    const rows: string[][] = []
    for (const topic of await wantedTopics(call, kafka)) {
      const { letters, olderCount } = await kafka.inspector.deadLetters.list(kafka.topicNames[topic])
      if (olderCount > 0) call.terminal.note(`${kafka.topicNames[topic]}: ${olderCount} older ones are not shown.`)
      for (const letter of letters) {
        const { topicName, partition, offset, time, group, key, isReplayed, reason } = letter
        if (call.options['json'] === true) call.terminal.print(JSON.stringify(letter))
        const source = `${topicName}/${partition}@${offset}`
        rows.push([time, source, group, key ?? '', isReplayed ? 'yes' : 'no', reason].map(plain))
      }
    }
    if (call.options['json'] === true) return DONE
    if (rows.length === 0) call.terminal.note('There are no dead letters.')
    else for (const line of table([HEADINGS, ...rows])) call.terminal.print(line)
    return DONE
  },
}

const replay: Command = {
  name: 'dlq replay',
  takes: '[--topic TOPIC]',
  summary:
    'Put the dead letters of a topic (default: all) back where they come from, the very bytes, each once. Do it when the reason is gone: what fails again becomes a dead letter again.',
  arguments: [0, 0],
  options: { topic: { type: 'string', short: 't' } },
  async run(call) {
    await using kafka = await openKafka(call)
    const wanted = await wantedTopics(call, kafka)
    const [events, states] = [wanted.filter((topic) => !isState(topic)), wanted.filter(isState)]
    for (const topic of events) {
      const name = kafka.topicNames[topic]
      const { replayed, leftOut } = await kafka.inspector.deadLetters.replay(name)
      const rest = leftOut > 0 ? `, ${leftOut} without a value, or refused by Kafka, left out` : ''
      call.terminal.print(`${name}: ${replayed} put back${rest}`)
    }
    // An old value would stand above the newer one of its key, and compaction would keep only the old.
    if (textOption(call, 'topic') === undefined || states.length === 0) return DONE
    call.terminal.note(
      `${kafka.topicNames[states[0]!]} holds state: its writer tells the whole value again and again, and an old one must not come after it. Nothing was put back.`,
    )
    return FAILED
  },
}

export const deadLetterCommands: readonly Command[] = [list, replay]

/** The topics asked for that have a place for dead letters. */
async function wantedTopics(call: Call, { inspector, topicNames }: OpenKafka): Promise<Topic[]> {
  const wanted = textOption(call, 'topic')
  const asked = wanted === undefined ? (Object.keys(topics) as Topic[]) : [topicCalled(wanted, topicNames)]
  const there = new Set(await inspector.topicNames())
  return asked.filter((topic) => there.has(deadLetterTopic(topicNames[topic])))
}

function isState(topic: Topic): boolean {
  return topics[topic].kind === 'state'
}

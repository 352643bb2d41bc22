import { processesOf } from '../../skipcast-process.ts'
import type { Station } from '../station.ts'

const commands = {
  icecast: /(^|\/)icecast2 /,
  front: /(^|\/)haproxy /,
  broker: /\bkafka\.Kafka\b/,
  database: /\/postgres -D /,
}

/** The processes of a program that the station runs; none when it has no such program. */
export async function programsOf({ home }: Station, program: keyof typeof commands): Promise<number[]> {
  return (await processesOf(home)).filter(({ command }) => commands[program].test(command)).map(({ pid }) => pid)
}

/** Sends a signal to all of them; resolves with the moment. Rejects when there are none. */
export async function signalPrograms(station: Station, program: keyof typeof commands, signal: NodeJS.Signals): Promise<number> {
  const pids = await programsOf(station, program)
  if (pids.length === 0) throw new Error(`no ${program} runs here`)
  const at = performance.now()
  for (const pid of pids) process.kill(pid, signal)
  return at
}

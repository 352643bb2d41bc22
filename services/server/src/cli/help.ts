import type { Command } from './command.ts'
import { table } from './terminal.ts'

/** All of these commands, and what surrounds them. */
export function help(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${line(command)}`, firstSentence(command.summary)])
  return `Usage: npm run skipcast -- COMMAND

${table(rows).join('\n')}

CHANNEL is a channel's id or slug. COMMAND --help tells more.
Environment: SKIPCAST_API (http://127.0.0.1:3000), SKIPCAST_TOKEN (else the file admin-token in SKIPCAST_HOME).
Exit codes: 0 done, 1 failed or a problem was found, 2 not understood.`
}

/** One command with its options. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options ?? {}).map(([name, { type, short }]) => {
    const letter = short === undefined ? '' : `-${short}, `
    return `  ${letter}--${name}${type === 'string' ? ' VALUE' : ''}`
  })
  return [
    `Usage: npm run skipcast -- ${line(command)}`,
    '',
    command.summary,
    ...(options.length > 0 ? ['', ...options] : []),
  ].join('\n')
}

function line({ name, takes }: Command): string {
  return takes === '' ? name : `${name} ${takes}`
}

function firstSentence(text: string): string {
  return text.replace(/\. .*|\.$/, '')
}

import type { Environment } from '@skipcast/runtime'
import { parseArgs } from 'node:util'
import { DONE, FAILED, MISUSED, UsageError, type Command } from './command.ts'
import { commands } from './commands.ts'
import { help, helpOf } from './help.ts'
import { tellFailure } from './tell-failure.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs one command line of `skipcast`. Resolves with the exit code: 0 done, 1 failed or a problem was found, 2 not
 * understood. Never rejects.
 */
export async function runCommandLine(words: readonly string[], environment: Environment, terminal: Terminal): Promise<number> {
  const isHelp = (word: string) => word === '--help' || word === '-h'
  const asked = words[0] === 'help' ? [...words.slice(1), '--help'] : words
  const end = asked.indexOf('--') // what follows is another's
  const wantsHelp = (end < 0 ? asked : asked.slice(0, end)).some(isHelp)
  const command = commandOf(asked)
  if (!command) {
    const named = asked.filter((word) => !isHelp(word))
    const matching = commands.filter(({ name }) => named.length > 0 && name.split(' ')[0] === named[0])
    if (asked.length === 0 || wantsHelp) {
      terminal.print(help(matching.length > 0 ? matching : commands))
      return DONE
    }
    terminal.note(`There is no command "${asked.slice(0, 2).join(' ')}".\n\n${help(matching.length > 0 ? matching : commands)}`)
    return MISUSED
  }
  if (wantsHelp) {
    terminal.print(helpOf(command))
    return DONE
  }
  try {
    const { positionals, values } = understand(command, asked.slice(command.name.split(' ').length))
    const code = await command.run({ arguments: positionals, options: values, environment, terminal, interrupted })
    terminal.settle()
    return code
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.note(`${error.message}\n\n${helpOf(command)}`)
      return MISUSED
    }
    terminal.note(tellFailure(error))
    return FAILED
  }
}

/** The command whose one or two words the line begins with. */
function commandOf(words: readonly string[]): Command | undefined {
  return commands.find(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '))
}

function understand(command: Command, words: readonly string[]) {
  const [least, most] = command.arguments
  try {
    const parsed = parseArgs({ args: [...words], options: command.options ?? {}, allowPositionals: true, strict: true })
    const count = parsed.positionals.length
    if (count < least) throw new UsageError('Something is missing.')
    if (count > most) throw new UsageError(`"${parsed.positionals[most]}" is too much.`)
    return { positionals: parsed.positionals, values: parsed.values as Record<string, string | boolean | undefined> }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError((error as Error).message)
  }
}

function interrupted(): AbortSignal {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  return stop.signal
}

import { runCommandLine } from './cli/command-line.ts'
import { terminalOf } from './cli/terminal.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), process.env, terminalOf(process.stdout, process.stderr))

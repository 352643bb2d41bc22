import { DONE, FAILED, type Command } from './command.ts'
import { plain } from './terminal.ts'

export const doctor: Command = {
  name: 'doctor',
  takes: '',
  summary:
    'Check this machine and the running Skipcast, and say what to do. Changes nothing. Exit code 1 when there is a problem.',
  arguments: [0, 0],
  async run(call) {
    const { terminal } = call
    const { findings } = await import('../doctor/findings.ts') // it knows every service; see up.ts
    let problems = 0
    for await (const { what, problem } of findings(call)) {
      if (problem === undefined) terminal.print(`ok       ${plain(what)}`)
      else {
        problems += 1
        terminal.print(`problem  ${plain(what)}\n         → ${plain(problem.cure)}`)
      }
    }
    terminal.print(problems === 0 ? '\nAll is well.' : `\n${problems} problem(s).`)
    return problems === 0 ? DONE : FAILED
  },
}

import { isAppError } from '@skipcast/runtime'
import { resolve } from 'node:path'
import { readConfigs } from '../configs.ts'
import { checkApi } from '../doctor/api.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkHome } from '../doctor/home.ts'
import { checkMachine } from '../doctor/machine.ts'
import { checkPorts } from '../doctor/ports.ts'
import { publicPorts } from '../public-ports.ts'
import { checkPrograms } from '../doctor/programs.ts'
import { checkSshHosts } from '../doctor/ssh-hosts.ts'
import { DONE, FAILED, type Call, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { plain } from './terminal.ts'

export const doctor: Command = {
  name: 'doctor',
  takes: '',
  summary:
    'Check this machine and the running Skipcast, and say what to do. Changes nothing. Exit code 1 when there is a problem.',
  arguments: [0, 0],
  async run(call) {
    const { terminal } = call
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

async function* findings(call: Call): AsyncGenerator<Finding> {
  const configs = read(call)
  yield configs.finding
  if (configs.found === null) return
  const { server, bus, roles } = configs.found
  const home = resolve(server.home)
  yield* await checkMachine(home, roles)
  yield* await checkPrograms({ home, bus, roles })
  if (roles.liquidsoap) yield* await checkSshHosts(roles.liquidsoap)
  yield* await checkHome(home)
  yield* await checkPorts(home, publicPorts(server, roles))
  yield* await checkApi(await openApi(call))
}

/** All that is wrong with the environment is told at once, and nothing else can be looked at then. */
function read({ environment }: Call): { finding: Finding; found: ReturnType<typeof readConfigs> | null } {
  try {
    const found = readConfigs(environment)
    const roles = [...found.server.roles].join(', ')
    return { found, finding: { what: `configuration: roles ${roles}` } }
  } catch (error) {
    if (!isAppError(error, 'CONFIG_INVALID')) throw error
    const problem = { cure: 'Change these variables; deploy/env.example has them all.' }
    return { found: null, finding: { what: error.message, problem } }
  }
}

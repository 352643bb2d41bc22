import { isAppError } from '@skipcast/runtime'
import { resolve } from 'node:path'
import type { Call } from '../cli/command.ts'
import { openApi } from '../cli/open-api.ts'
import { readConfigs } from '../configs.ts'
import { publicPorts } from '../public-ports.ts'
import { checkApi } from './api.ts'
import type { Finding } from './finding.ts'
import { checkHome } from './home.ts'
import { checkMachine } from './machine.ts'
import { checkPorts } from './ports.ts'
import { checkPrograms } from './programs.ts'
import { checkSshHosts } from './ssh-hosts.ts'

/** All that is looked at, in the order in which it is told. */
export async function* findings(call: Call): AsyncGenerator<Finding> {
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

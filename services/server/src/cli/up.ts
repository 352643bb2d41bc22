import type { Environment } from '@skipcast/runtime'
import type { Command } from './command.ts'

export const up: Command = {
  name: 'up',
  takes: '',
  summary: 'Start the roles of SERVER_ROLES (default: all) and run until Ctrl-C.',
  arguments: [0, 0],
  run: ({ environment }) => runRoles(environment),
}

export const liquidsoapCommandConsumer: Command = {
  name: 'liquidsoap:command-consumer',
  takes: '',
  summary: 'Run the role liquidsoap alone: follow the stream commands on Kafka and make the engines of this server match.',
  arguments: [0, 0],
  run: ({ environment }) => runRoles({ ...environment, SERVER_ROLES: 'liquidsoap' }),
}

/** Loads the services for those commands only that run them: the others answer in a third of the time. */
export async function runRoles(environment: Environment): Promise<number> {
  const { runServer } = await import('../run-server.ts')
  return runServer(environment)
}

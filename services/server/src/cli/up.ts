import { runServer } from '../run-server.ts'
import type { Command } from './command.ts'

export const up: Command = {
  name: 'up',
  takes: '',
  summary: 'Start the roles of SERVER_ROLES (default: all) and run until Ctrl-C.',
  arguments: [0, 0],
  run: ({ environment }) => runServer(environment),
}

export const liquidsoapCommandConsumer: Command = {
  name: 'liquidsoap:command-consumer',
  takes: '',
  summary: 'Run the role liquidsoap alone: follow the stream commands on Kafka and make the engines of this server match.',
  arguments: [0, 0],
  run: ({ environment }) => runServer({ ...environment, SERVER_ROLES: 'liquidsoap' }),
}

import { env } from '@skipcast/runtime'
import { z } from 'zod'

/** The variables of the role `kafka`. */
export const kafkaEnv = z
  .object({
    KAFKA_PORT: env.port().optional(),
    KAFKA_CONTROLLER_PORT: env.port().optional(),
    KAFKA_LISTEN_HOST: env.host().default('127.0.0.1'),
    KAFKA_ADVERTISED_HOST: env.host().optional(),
    KAFKA_HEAP_MB: env.integer(64, 65_536).default(256),
  })
  .check((context) => {
    const { KAFKA_LISTEN_HOST: listenHost, KAFKA_ADVERTISED_HOST: advertisedHost } = context.value
    if (advertisedHost === undefined && ['0.0.0.0', '::'].includes(listenHost))
      context.issues.push({
        code: 'custom',
        path: ['KAFKA_ADVERTISED_HOST'],
        message: `must say under which name others reach this broker when KAFKA_LISTEN_HOST is ${listenHost}`,
        input: advertisedHost,
      })
  })
  .transform((given) => ({
    /** Undefined: a port of the home's, free when it was chosen. */
    port: given.KAFKA_PORT,
    controllerPort: given.KAFKA_CONTROLLER_PORT,
    listenHost: given.KAFKA_LISTEN_HOST,
    advertisedHost: given.KAFKA_ADVERTISED_HOST ?? given.KAFKA_LISTEN_HOST,
    heapMb: given.KAFKA_HEAP_MB,
  }))

export type KafkaConfig = z.output<typeof kafkaEnv>

import { channelCommands } from './channels.ts'
import type { Command } from './command.ts'
import { deadLetterCommands } from './dead-letters.ts'
import { doctor } from './doctor.ts'
import { icecastMetrics } from './icecast-metrics.ts'
import { kafkaConsume } from './kafka-consume.ts'
import { mediaCommands } from './media.ts'
import { liquidsoapCommandConsumer, up } from './up.ts'
import { placementCommands } from './placement.ts'
import { serverCommands } from './servers.ts'

/** Every command, in the order in which help shows them. */
export const commands: readonly Command[] = [
  up,
  doctor,
  ...channelCommands,
  ...placementCommands,
  ...serverCommands,
  ...mediaCommands,
  kafkaConsume,
  ...deadLetterCommands,
  icecastMetrics,
  liquidsoapCommandConsumer,
]

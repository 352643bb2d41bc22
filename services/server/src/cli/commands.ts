import { channelCommands } from './channels.ts'
import type { Command } from './command.ts'
import { mediaCommands } from './media.ts'
import { liquidsoapCommandConsumer, up } from './up.ts'

/** Every command, in the order in which help shows them. */
export const commands: readonly Command[] = [up, ...channelCommands, ...mediaCommands, liquidsoapCommandConsumer]

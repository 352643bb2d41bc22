import type { Logger } from '@skipcast/runtime'
import { running, type World } from '../kernel/world.ts'

/** What the product logs stands in the trace, under the name of the process that said it. */
export function traceLogger(world: World): Logger {
  const who = running.getStore()?.name ?? 'nobody'
  const tell = (fields: object | string, text?: string) => {
    const message = typeof fields === 'string' ? fields : `${text ?? ''} ${JSON.stringify({ ...fields, stack: undefined })}`
    world.trace.note(world.now, who, message)
  }
  const logger = { trace() {}, debug() {}, info: tell, warn: tell, error: tell, fatal: tell, child: () => logger }
  return logger as unknown as Logger
}

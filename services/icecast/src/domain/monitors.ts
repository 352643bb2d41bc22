import { readMount } from './mounts.ts'

/** How our own listeners name themselves; they are let in, but they are no audience. */
export const MONITOR_AGENT = 'skipcast-monitor'

/** One of our own listeners. */
export interface Monitor {
  /** The mount that it hears, and no other; null: whatever the channel's listeners hear. The front writes it, once it has seen a token for that mount. */
  readonly asked: string | null
}

/** Reads a player's name; null: it is no monitor. */
export function readMonitor(agent: string): Monitor | null {
  if (!agent.startsWith(MONITOR_AGENT)) return null
  const asked = agent.startsWith(`${MONITOR_AGENT} `) ? agent.slice(MONITOR_AGENT.length + 1) : ''
  return { asked: readMount(asked) ? asked : null }
}

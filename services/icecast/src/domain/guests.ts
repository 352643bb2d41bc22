import { readMonitor, type Monitor } from './monitors.ts'

/** How the front names listeners who brought a genuine listen token, instead of by their player; nobody else comes through it with such a name. */
export const GUEST_AGENT = 'skipcast-guest'

/** A listener with a link to one channel. */
interface Guest {
  readonly channelId: string
  /** In seconds since the epoch. */
  readonly expiresAt: number
}

/** Who a listener is, as far as the front knows: one of our monitors, a guest, or anybody. */
export interface Listener {
  /** Null: it is no monitor of ours. */
  readonly monitor: Monitor | null
  /** Null: they brought no genuine token. */
  readonly guest: Guest | null
}

const SHAPE = new RegExp(`^${GUEST_AGENT} ([A-Za-z0-9_-]{1,64}) ([0-9]{1,12})$`)

/** Reads a listener's name, as Icecast tells it. */
export function readListener(agent: string): Listener {
  const guest = SHAPE.exec(agent)
  return { monitor: readMonitor(agent), guest: guest && { channelId: guest[1]!, expiresAt: Number(guest[2]) } }
}

/**
 * Whether somebody may hear a channel that is heard with a link alone, on one of its mounts. A monitor that asks for one mount has shown a source token for it;
 * anybody can call themselves another.
 */
export function isInvited({ monitor, guest }: Listener, channelId: string, nowMs: number): boolean {
  if (monitor?.asked) return true
  return guest !== null && guest.channelId === channelId && guest.expiresAt * 1000 > nowMs
}

/** How our own listeners name themselves; they are let in, but they are no audience. */
export const MONITOR_AGENT = 'skipcast-monitor'

import { MONITOR_AGENT } from './monitors.ts'

/** What the front tells of a listener's connection that ended. Address and player are personal data and go no further than this role. */
export interface SessionReport {
  readonly sessionId: string
  readonly address: string
  readonly durationMs: number
  readonly mount: string
  readonly agent: string
  readonly isMonitor: boolean
}

const SHAPE = /^(\S{1,100}) ([0-9a-f-]{36}) ([0-9a-fA-F.:]{2,45}) (\d{1,12}) (\/[a-z0-9-]{1,100}) (.*)$/s

/** The front's log line of a session, in the form that `sessionLogFormat` gives it. Null for any other line, or one without the secret. */
export function readSessionReport(line: string, secret: string): SessionReport | null {
  const match = SHAPE.exec(line.trimEnd())
  if (!match || match[1] !== secret) return null
  const [, , sessionId, address, duration, mount, agent] = match as unknown as string[]
  return {
    sessionId: sessionId!,
    address: address!,
    durationMs: Number(duration),
    mount: mount!,
    agent: agent!,
    isMonitor: agent!.startsWith(MONITOR_AGENT),
  }
}

/** HAProxy's format for such a line. `txn.session` is set for listeners who were let in, and for nobody else. */
export function sessionLogFormat(secret: string): string {
  return `${secret} %[var(txn.session)] %ci %Tt %[var(txn.path)] %[var(txn.agent)]`
}

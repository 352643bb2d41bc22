import type { Station } from '../station.ts'

const KEPT_TIMEOUT_MS = 60_000

/** Something that was asked of the API just before, or while, things broke. */
export interface Order {
  readonly status: number
  /** Waits until what was acknowledged is true. Rejects when it does not become so; what was refused need not. */
  kept(): Promise<unknown>
}

/** Switches the spare channel: on when it is off, off when it is on. Rejects when the API can't be reached. */
export async function order({ api, spare, switched }: Station): Promise<Order> {
  const isOn = !switched.isOn
  const { status } = await api.call('POST', `/api/channels/${spare.slug}/stream/${isOn ? 'start' : 'stop'}`)
  if (status === 202) switched.isOn = isOn
  return {
    status,
    kept: async () => status === 202 && api.untilPhase(spare.slug, isOn ? 'on_air' : 'off', KEPT_TIMEOUT_MS),
  }
}

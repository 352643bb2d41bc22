import type { StateView } from '@skipcast/bus'
import type { StreamStatus } from '@skipcast/contracts'

/** What agents told last, by the keys of the topic: a channel's id, and `<channel id>:standby` for its second replica. */
export interface NewestStatuses {
  readonly values: ReadonlyMap<string, StreamStatus>
  /** Calls back when an agent told something new; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/**
 * The statuses of the newest epochs. An agent that was frozen or cut off while its channels moved tells of them once more when it is back,
 * and stands on the topic then until the one that has them now repeats what is true: what is older changes nothing.
 */
export function newestStatuses(view: Pick<StateView<'streamStatus'>, 'values' | 'onChange'>): NewestStatuses {
  const newest = new Map(view.values)
  const listeners = new Set<() => void>()
  view.onChange((id) => {
    const told = id === null ? undefined : view.values.get(id)
    if (told && told.epoch < (newest.get(id!)?.epoch ?? 0)) return
    if (told) newest.set(id!, told)
    else if (id !== null) newest.delete(id)
    for (const listener of listeners) listener()
  })
  return {
    values: newest,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

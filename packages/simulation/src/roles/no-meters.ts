import type { Meters } from '@skipcast/runtime'

/** Counts nothing: a thousand runs would each have registers of their own. */
export function noMeters(): Meters {
  const nothing = { inc() {}, observe() {}, startTimer: () => () => 0 }
  return {
    counter: () => nothing as unknown as ReturnType<Meters['counter']>,
    gauge() {},
    histogram: () => nothing as unknown as ReturnType<Meters['histogram']>,
    show: async () => ({ contentType: '', text: '' }),
  } as Meters
}

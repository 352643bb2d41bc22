import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Clocks of server processes that jump (libfaketime): what they take for the time of day, not how they measure how long something takes. */
export interface FakeClocks {
  /** What a machine's server process is started with. */
  variables(machine: string): Record<string, string>
  /** So far from the true time, from now on; noticed within a second. */
  set(machine: string, offsetS: number): Promise<void>
}

const LIBRARIES = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)

/** Resolves with why there are none, where the library is not installed. */
export async function fakeClocks(directory: string): Promise<FakeClocks | string> {
  const library = LIBRARIES.find((path) => existsSync(path))
  if (library === undefined) return 'there is no libfaketime (Debian: apt-get install faketime)'
  const fileOf = (machine: string) => join(directory, `clock-${machine}`)
  return {
    variables: (machine) => ({
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: fileOf(machine),
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }),
    set: (machine, offsetS) => writeFile(fileOf(machine), `${offsetS < 0 ? '' : '+'}${offsetS}\n`),
  }
}

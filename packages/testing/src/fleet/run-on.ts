import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildUser } from '@skipcast/runtime'
import { ownEnvironment } from '../skipcast-process.ts'
import type { LanHost } from './lan.ts'

/** Starts a program on a machine, with a log in this directory. It ends with its machine. */
export function runOn(host: LanHost, directory: string, name: string, command: readonly string[], user?: ChildUser): void {
  const log = openSync(join(directory, `${name}.log`), 'a', 0o600)
  const as = user ? [`--setuid=${user.uid}`, `--setgid=${user.gid}`] : []
  const [enter, ...args] = [...host.through, ...as, ...command]
  const child = spawn(enter!, args, {
    cwd: directory,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...ownEnvironment(), LANG: 'C.UTF-8' },
  })
  child.on('error', () => {}) // whoever waits for it hears nothing, and tells so
  child.unref()
  closeSync(log)
}

import { readFileSync } from 'node:fs'

/** The unprivileged user that child processes run as. */
export interface ChildUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Started by root, children run as this user of the system instead (PostgreSQL, icecast2 and Liquidsoap refuse or should
 * not have root). Started by anybody else, children keep the user: undefined.
 * Throws when root has no such user; the set-up makes it (`useradd --system skipcast`).
 */
export function childUser(name = 'skipcast'): ChildUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((entry) => entry.split(':'))
    .find((fields) => fields[0] === name)
  if (!line)
    throw new Error(`There is no user "${name}" to run child processes as. Make one: useradd --system --no-create-home ${name}`)
  return { name, uid: Number(line[2]), gid: Number(line[3]) }
}

import { createHash, randomBytes, randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { link, lstat, mkdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { childUser } from './child-user.ts'
import { makeDirectory, pathIn, readFileIfThere } from './files.ts'

/** `SKIPCAST_HOME`: everything that this machine's roles keep on disk. Its layout is in `services/server/README.md`. */
export interface Home {
  readonly path: string
  /** A directory of one service below the home (0700 unless told otherwise). */
  directory(name: string, options?: Parameters<typeof makeDirectory>[1]): Promise<string>
  /** A secret of this machine (43 characters, base64url), made at first use and kept in a 0600 file. Safe with several processes at once. */
  secret(name: string): Promise<string>
  /** A loopback port for an internal purpose, chosen free at first use and then always the same. Safe with several processes at once. */
  port(name: string): Promise<number>
}

/**
 * Opens (and makes) the home. It is closed to others (0700), unless children run as another user, who must reach their own parts (0711).
 * Where they could not even come there (a tree below `/root`, say), it is made in `elsewhere`, and `path` becomes a link to it.
 */
export async function openHome(path: string, elsewhere = '/var/lib/skipcast'): Promise<Home> {
  const wished = resolve(path)
  const isNew = await lstat(wished).then(
    () => false,
    () => true,
  )
  if (isNew && childUser() && !(await othersMayPass(dirname(wished)))) {
    const name = `home-${createHash('sha256').update(wished).digest('hex').slice(0, 12)}`
    await makeDirectory(elsewhere, { mode: 0o711 })
    await mkdir(dirname(wished), { recursive: true })
    await symlink(await makeDirectory(join(elsewhere, name), { mode: 0o711 }), wished)
  }
  await makeDirectory(wished, { mode: childUser() ? 0o711 : 0o700 })
  const root = await realpath(wished)
  return {
    path: root,
    directory: (name, options) => makeDirectory(join(root, name), options),
    async secret(name) {
      const directory = await makeDirectory(join(root, 'secrets'))
      return chooseOnce(pathIn(directory, name), () => randomBytes(32).toString('base64url'))
    },
    async port(name) {
      const directory = await makeDirectory(join(root, 'ports'))
      return Number(await chooseOnce(pathIn(directory, name), async () => String(await freePort())))
    },
  }
}

/** Whether everybody may pass through a directory and all that are above it; what does not exist yet will be as its parent is. */
async function othersMayPass(directory: string): Promise<boolean> {
  const mode = await stat(directory).then(
    (stats) => stats.mode,
    () => 0o001,
  )
  if ((mode & 0o001) === 0) return false
  return dirname(directory) === directory || othersMayPass(dirname(directory))
}

/** The file's value. The first to come chooses it: a hard link appears whole, and only once. */
async function chooseOnce(path: string, choose: () => string | Promise<string>): Promise<string> {
  const chosen = await readFileIfThere(path)
  if (chosen !== null) return chosen.trim()
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${await choose()}\n`, { mode: 0o600 })
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return (await readFile(path, 'utf8')).trim()
}

/**
 * A TCP port on loopback that nobody listens on now. Below the range from which the system gives outgoing connections
 * theirs, so that it is still free the next time.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (await portIsFree(port, '127.0.0.1')) return port
  }
}

/** True when nobody listens on this port of this address. */
export async function portIsFree(port: number, host: string): Promise<boolean> {
  return (await whyNotListen(port, host)) === null
}

/** Why this process can't listen on this port of this address, as the end of a sentence; null when it can. */
export function whyNotListen(port: number, host: string): Promise<string | null> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', ({ code }: NodeJS.ErrnoException) => done(LISTEN_PROBLEMS[code ?? ''] ?? `can not be used (${code})`))
    probe.listen(port, host, () => probe.close(() => done(null)))
  })
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program',
  EACCES: 'is only for root; take one of 1024 or more',
  EADDRNOTAVAIL: 'is of an address that this machine does not have',
}

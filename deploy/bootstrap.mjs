#!/usr/bin/env node
/**
 * What `npm start`, `npm test` and `npm run nightly` run first, on the machine's own Node (20 or newer) and with nothing installed:
 *
 *   programs of the distribution → dependencies (pnpm) → Prisma client → the product or its tests, on the locked Node
 *
 * Each step is skipped when it has nothing to do, so that the second start is quick. `npm run skipcast` takes none, and says so where one is missing.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants as os } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
/** Not in package.json: there pnpm would want to write itself into the lockfile, which a frozen install forbids. */
const pnpm = 'pnpm@12.21.0'
const PARENT_CHECK_MS = 500
const isRoot = process.getuid?.() === 0

/** Program → Debian package. Kafka's two may be absent: Skipcast then runs on its in-memory bus, on this machine alone. */
const needed = { liquidsoap: 'liquidsoap', icecast2: 'icecast2', haproxy: 'haproxy', ffmpeg: 'ffmpeg' }
const neededForKafka = { java: 'openjdk-17-jre-headless', mvn: 'maven' }
/** A name with spaces is a command that must work. */
const neededForTests = {
  kcat: 'kcat',
  openssl: 'openssl',
  'python3 -m ensurepip --version': 'python3-venv',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  ip: 'iproute2',
  faketime: 'faketime',
}
/** Package → services that Debian would start of it, icecast2 on port 8000, sshd for everybody. */
const ownServices = { icecast2: ['icecast2'], haproxy: ['haproxy'], 'openssh-server': ['ssh', 'ssh.socket'] }

const commands = {
  start: ['services/server/src/main.ts'],
  test: ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'],
  nightly: ['packages/testing/src/main.ts'],
  skipcast: ['services/server/src/skipcast.ts'],
}

const command = process.argv[2]
if (!(command in commands)) fail(`Usage: node deploy/bootstrap.mjs ${Object.keys(commands).join('|')}`)
if (Number(process.versions.node.split('.')[0]) < 20) fail(`Skipcast needs Node 20 or newer; this is ${process.version}.`)
if (process.platform !== 'linux') fail('Skipcast runs on Linux (Debian 12 or newer).')

if (command !== 'skipcast') {
  installPrograms()
  makeUser('skipcast', ['--shell', '/usr/sbin/nologin'])
  if (command !== 'start')
    makeUser('skipcast-host', ['--home-dir', '/var/lib/skipcast-host', '--shell', '/bin/sh', '--password', '*'])
  installDependencies()
  generatePrismaClient()
} else if (!existsSync(join(bin, 'node'))) fail('Nothing is set up here yet. Do that first, once: npm start')
run(commands[command])

function installPrograms() {
  const programs = { ...needed, ...neededForKafka, ...(command !== 'start' && neededForTests) }
  const missing = Object.keys(programs).filter((program) => !isThere(program))
  if (missing.length === 0) return
  const packages = missing.map((program) => programs[program])
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  if (isRoot && onPath('apt-get')) {
    step(`installing ${packages.join(', ')}`)
    const services = onPath('systemctl') ? packages.flatMap((name) => ownServices[name] ?? []) : []
    if (services.length > 0) quietly('systemctl', ['mask', ...services])
    must('apt-get', ['update', '-qq'])
    must('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...install], { DEBIAN_FRONTEND: 'noninteractive' })
    if (services.length > 0) quietly('systemctl', ['unmask', ...services])
    if (services.length > 0) quietly('systemctl', ['disable', ...services])
    return
  }
  const essential = missing.filter((program) => program in needed)
  const advice = `sudo apt-get ${install.join(' ')}`
  if (essential.length > 0)
    fail(`These programs are missing: ${packages.join(', ')}. Install them, then try again:\n\n  ${advice}\n`)
  console.error(`• ${packages.join(' and ')} missing; to have it:  ${advice}`)
}

/**
 * icecast2, HAProxy, Liquidsoap and PostgreSQL do not run as root; started by root, they run as the user "skipcast". Tests run a host of engines,
 * which has a user that an SSH key logs in as, without a password: see deploy/ssh/install.
 */
function makeUser(name, options) {
  if (
    !isRoot ||
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`))
  )
    return
  step(`making the system user "${name}" for child processes`)
  must('useradd', ['--system', '--no-create-home', ...options, name])
}

function installDependencies() {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']
  once('dependencies', files, () => {
    step('installing dependencies')
    must('npm', ['exec', '--yes', `--package=${pnpm}`, '--', 'pnpm', 'install', '--frozen-lockfile', '--loglevel=error'], {
      CI: 'true',
    })
  })
}

function generatePrismaClient() {
  once('prisma', ['prisma/schema.prisma', 'prisma.config.ts', 'pnpm-lock.yaml'], () => {
    step('generating the database client')
    must(join(bin, 'prisma'), ['generate', '--no-hints'], { CHECKPOINT_DISABLE: '1' })
  })
}

/** Runs `action` unless it has run to its end for just these files. */
function once(name, files, action) {
  const stamp = join(root, 'node_modules', '.cache', 'skipcast', name)
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(root, file)))
  const digest = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  action()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}

/** Runs the command on the locked Node, hands signals on, and ends as it did. */
function run(args) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  // What Node made of the sources stays, so that a process starts with half of the work.
  env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'skipcast', 'compiled')
  if (command === 'start') {
    env.DEMO_CHANNEL ??= 'true'
    env.LOG_FORMAT ??= 'pretty'
  }
  const child = spawn(join(bin, 'node'), [...args, ...process.argv.slice(3)], { cwd: root, stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm dies of a signal that it alone gets (`kill`, a supervisor's stop) and hands nothing on.
  const parent = process.ppid
  const look = () => process.ppid !== parent && child.kill('SIGTERM')
  if ('npm_lifecycle_event' in process.env) setInterval(look, PARENT_CHECK_MS).unref()
  child.once('close', (code, signal) => process.exit(code ?? 128 + os.signals[signal]))
}

/** Debian keeps haproxy in /usr/sbin, which not everybody has in the path. */
function isThere(program) {
  const [name, ...args] = program.split(' ')
  return onPath(name) && (args.length === 0 || spawnSync(name, args, { stdio: 'ignore' }).status === 0)
}

function onPath(program) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function quietly(program, args) {
  spawnSync(program, args, { stdio: 'ignore' })
}

function must(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) fail(`"${program} ${args.join(' ')}" failed${error ? `: ${error.message}` : ` with exit code ${status}`}.`)
}

function step(text) {
  console.error(`• ${text} …`)
}

function fail(text) {
  console.error(text)
  process.exit(1)
}

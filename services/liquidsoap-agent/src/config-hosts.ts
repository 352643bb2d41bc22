import { readFileSync } from 'node:fs'
import { env, messageOf } from '@skipcast/runtime'
import { z } from 'zod'
import { parseHostKey, type SshTarget } from './domain/ssh-target.ts'

const MAX_HOSTS = 100
const MAX_PATH = 1000

/** A machine that runs engines and has only sshd and Liquidsoap: a server of its own. */
export interface SshHost {
  /** Its name among the servers. */
  readonly id: string
  readonly target: SshTarget
  /** Where its engines find Icecast. */
  readonly icecast: { readonly host: string; readonly port: number }
  readonly capacity: number
  readonly labels: Readonly<Record<string, string>>
}

const hostKey = () =>
  z.string().transform((text, context) => {
    const key = parseHostKey(text)
    if (key) return key
    const message = "must be the host's public key, as in its /etc/ssh/ssh_host_ed25519_key.pub: ssh-ed25519 AAAA…"
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
const keyFile = () => z.string().min(1).max(MAX_PATH)
const labels = z.record(
  env.name(),
  z.string().regex(/^[A-Za-z0-9._-]{0,100}$/, 'may hold letters, digits, dot, dash and underscore'),
)

const inventory = z.strictObject({
  hosts: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'may hold letters, digits, dot, dash and underscore'),
        host: env.host(),
        port: z.int().min(1).max(65_535).optional(),
        user: env.name().optional(),
        keyFile: keyFile().optional(),
        hostKey: hostKey(),
        icecast: z.strictObject({ host: env.host(), port: z.int().min(1).max(65_535) }).optional(),
        capacity: z.int().min(0).max(100_000).optional(),
        labels: labels.optional(),
      }),
    )
    .min(1)
    .max(MAX_HOSTS)
    .refine((hosts) => new Set(hosts.map(({ id }) => id)).size === hosts.length, 'two hosts have the same id'),
})

/** The file is read with the environment, so that all that is wrong in both is told at once. */
const inventoryFile = z
  .string()
  .max(MAX_PATH)
  .transform((path, context) => {
    try {
      const found = inventory.safeParse(JSON.parse(readFileSync(path, 'utf8')))
      if (found.success) return found.data.hosts
      for (const { path: at, message } of found.error.issues)
        context.addIssue({ code: 'custom', message: `${at.join('.') || 'the file'}: ${message}` })
    } catch (error) {
      context.addIssue({ code: 'custom', message: `the file can not be read: ${messageOf(error)}` })
    }
    return z.NEVER
  })

/** What the environment says of hosts that are reached over SSH. */
export const hostVariables = {
  LIQUIDSOAP_HOST: env.host().optional(),
  LIQUIDSOAP_SSH_PORT: env.port().default(22),
  LIQUIDSOAP_SSH_USER: env.name().default('skipcast-host'),
  LIQUIDSOAP_SSH_KEY_PATH: keyFile().optional(),
  LIQUIDSOAP_SSH_HOST_KEY: hostKey().optional(),
  LIQUIDSOAP_HOSTS_FILE: inventoryFile.optional(),
  LIQUIDSOAP_LOCAL: env.boolean().optional(),
}

const given = z.object(hostVariables)
type Given = z.output<typeof given> & {
  readonly ICECAST_HOST: string
  readonly ICECAST_PORT: number
  readonly SERVER_CAPACITY: number
}

/** All that is wrong with them together, by variable. */
export function hostProblems(vars: Given): { variable: string; message: string }[] {
  const problems: { variable: string; message: string }[] = []
  const single = singleHost(vars)
  if (single && !vars.LIQUIDSOAP_SSH_KEY_PATH)
    problems.push({ variable: 'LIQUIDSOAP_SSH_KEY_PATH', message: 'is needed with LIQUIDSOAP_HOST: the file of the private key' })
  if (single && !vars.LIQUIDSOAP_SSH_HOST_KEY) {
    const message = `is needed with LIQUIDSOAP_HOST, or nobody would notice another machine in its place: the line in /etc/ssh/ssh_host_ed25519_key.pub of ${single}`
    problems.push({ variable: 'LIQUIDSOAP_SSH_HOST_KEY', message })
  }
  for (const { id, keyFile: own } of vars.LIQUIDSOAP_HOSTS_FILE ?? []) {
    if (own || vars.LIQUIDSOAP_SSH_KEY_PATH) continue
    problems.push({
      variable: 'LIQUIDSOAP_HOSTS_FILE',
      message: `host ${id} has no keyFile, and LIQUIDSOAP_SSH_KEY_PATH is not set`,
    })
  }
  if (problems.length > 0) return problems
  const hosts = sshHosts(vars)
  if (new Set(hosts.map(({ id }) => id)).size < hosts.length)
    problems.push({ variable: 'LIQUIDSOAP_HOSTS_FILE', message: `has a host with the id of LIQUIDSOAP_HOST, ${single}` })
  for (const { id, target, icecast } of hosts) {
    if (!isLoopback(icecast.host) || isLoopback(target.host)) continue
    const message = `${icecast.host} is each machine itself: engines on ${id} would look for Icecast there; set a name that leads to it from that host`
    problems.push({ variable: 'ICECAST_HOST', message })
  }
  return problems
}

/** Every host that is reached over SSH. */
export function sshHosts(vars: Given): SshHost[] {
  const common = { port: vars.LIQUIDSOAP_SSH_PORT, user: vars.LIQUIDSOAP_SSH_USER, keyFile: vars.LIQUIDSOAP_SSH_KEY_PATH ?? '' }
  const icecast = { host: vars.ICECAST_HOST, port: vars.ICECAST_PORT }
  const single = singleHost(vars)
  const hostKeyOfSingle = vars.LIQUIDSOAP_SSH_HOST_KEY
  const ofFile = (vars.LIQUIDSOAP_HOSTS_FILE ?? []).map((each) => ({
    id: each.id,
    target: {
      host: each.host,
      port: each.port ?? common.port,
      user: each.user ?? common.user,
      keyFile: each.keyFile ?? common.keyFile,
      hostKey: each.hostKey,
    },
    icecast: each.icecast ?? icecast,
    capacity: each.capacity ?? vars.SERVER_CAPACITY,
    labels: each.labels ?? {},
  }))
  if (single === undefined || !hostKeyOfSingle) return ofFile
  const id = single.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'host'
  const target = { ...common, host: single, hostKey: hostKeyOfSingle }
  return [{ id, target, icecast, capacity: vars.SERVER_CAPACITY, labels: {} }, ...ofFile]
}

/** Without a key, `localhost` means what it meant before there were hosts: engines on this machine. */
function singleHost({
  LIQUIDSOAP_HOST: host,
  LIQUIDSOAP_SSH_KEY_PATH: key,
  LIQUIDSOAP_SSH_HOST_KEY: pin,
}: Given): string | undefined {
  return host !== undefined && isLoopback(host) && !key && !pin ? undefined : host
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

import { createHash } from 'node:crypto'

/** How a machine is reached, and how it is known to be the right one. */
export interface SshTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  /** A file with our private key, without a passphrase. */
  readonly keyFile: string
  /** The machine's own public key, as in `/etc/ssh/ssh_host_ed25519_key.pub`. */
  readonly hostKey: HostKey
}

export interface HostKey {
  readonly type: HostKeyType
  readonly bytes: Buffer
}

const TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'] as const
type HostKeyType = (typeof TYPES)[number]

/** Reads `TYPE BASE64 [comment]`; null when it is no public key of a host. */
export function parseHostKey(text: string): HostKey | null {
  const [name, base64 = ''] = text.trim().split(/\s+/)
  const type = TYPES.find((each) => each === name)
  if (!type || !/^[A-Za-z0-9+/]{40,2000}={0,2}$/.test(base64)) return null
  const bytes = Buffer.from(base64, 'base64')
  return typeOfKey(bytes) === type ? { type, bytes } : null
}

/** As `ssh-keygen -lf` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The key begins with the length and the letters of its type. */
function typeOfKey(key: Buffer): string | null {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0
  return length > 0 && length < 50 ? key.subarray(4, 4 + length).toString('latin1') : null
}

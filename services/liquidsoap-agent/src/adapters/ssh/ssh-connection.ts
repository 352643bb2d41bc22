import { readFile } from 'node:fs/promises'
import { AppError, messageOf } from '@skipcast/runtime'
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2'
import { fingerprint, type SshTarget } from '../../domain/ssh-target.ts'

const CONNECT_TIMEOUT_MS = 10_000
const OPEN_TIMEOUT_MS = 5000
const KEEPALIVE_MS = 5000
const KEEPALIVES_UNANSWERED = 2

/** What our key may ask of a machine: see `deploy/ssh/skipcast-host`. */
export type HostWord = 'session' | 'put' | 'version'

/** One connection to a machine, which carries all channels. */
export interface SshConnection extends Disposable {
  /** Runs our program there. Rejects with HOST_UNREACHABLE. */
  open(word: HostWord): Promise<ClientChannel>
  /** Calls back once when the connection has ended, for whatever reason. */
  onEnd(listener: () => void): void
}

/**
 * Connects, once. The machine must show the key that is pinned, before anything of ours is sent. Rejects with HOST_UNREACHABLE, HOST_KEY_REFUSED or
 * HOST_LOGIN_REFUSED, and says what to do.
 */
export async function connectSsh(target: SshTarget): Promise<SshConnection> {
  const where = `${target.host}:${target.port}`
  const privateKey = await readFile(target.keyFile).catch((cause: unknown) => {
    const advice = 'make it readable for the user that Skipcast runs as, and for nobody else'
    throw new AppError('HOST_LOGIN_REFUSED', `The key file ${target.keyFile} can not be read (${messageOf(cause)}): ${advice}`)
  })
  const client = new Client()
  let offered: Buffer | null = null
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    privateKey,
    authHandler: ['publickey'],
    algorithms: { serverHostKey: target.hostKey.type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [target.hostKey.type] },
    hostVerifier: (key: Buffer) => {
      offered = key
      return key.equals(target.hostKey.bytes)
    },
    readyTimeout: CONNECT_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: KEEPALIVES_UNANSWERED,
  }
  let hasEnded = false
  client.once('close', () => (hasEnded = true))
  client.on('error', () => {}) // what came before the connection stood is told below; after that it simply ends
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      client.destroy()
      reject(explained(error, target, where, offered))
    }
    client.once('ready', resolve).once('error', fail)
    client.once('close', () => fail(new Error('the connection was closed')))
    try {
      client.connect(config)
    } catch (error) {
      fail(error) // a key file that holds no key
    }
  })
  client.setNoDelay(true)

  return {
    open: (word) =>
      new Promise((resolve, reject) => {
        const refuse = (cause: unknown) =>
          reject(new AppError('HOST_UNREACHABLE', `${where} runs nothing for us (${messageOf(cause)})`, { cause }))
        const limit = setTimeout(() => refuse(new Error(`no answer within ${OPEN_TIMEOUT_MS} ms`)), OPEN_TIMEOUT_MS)
        if (hasEnded) return settle(() => refuse(new Error('the connection has ended')))
        client.once('close', ended)
        client.exec(word, (error, channel) => settle(() => (error ? refuse(error) : resolve(channel))))

        function ended() {
          settle(() => refuse(new Error('the connection ended')))
        }
        function settle(then: () => void) {
          clearTimeout(limit)
          client.off('close', ended)
          then()
        }
      }),
    onEnd(listener) {
      if (hasEnded) listener()
      else client.once('close', listener)
    },
    [Symbol.dispose]: () => client.destroy(),
  }
}

/** Why there is no connection, in words that say what to do. */
function explained(error: unknown, target: SshTarget, where: string, offered: Buffer | null): AppError {
  const { level, code } = error as { level?: string; code?: string }
  if (offered && !offered.equals(target.hostKey.bytes)) {
    const shown = `It shows ${fingerprint(offered)}, pinned is ${fingerprint(target.hostKey.bytes)}`
    const advice =
      'Either somebody stands in between, or its keys were changed: look on its own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and pin what that says only if it was you'
    return new AppError('HOST_KEY_REFUSED', `${where} is not the machine that was pinned. ${shown}. ${advice}`)
  }
  if (/no matching host key/i.test(messageOf(error))) {
    const advice = 'pin one that it has (ls /etc/ssh/ssh_host_*_key.pub there)'
    return new AppError('HOST_KEY_REFUSED', `${where} has no key of the kind ${target.hostKey.type} that is pinned: ${advice}`)
  }
  if (level === 'client-authentication') {
    const advice = 'run deploy/ssh/install there with the public half of it'
    return new AppError('HOST_LOGIN_REFUSED', `${where} does not let in ${target.user} with ${target.keyFile}: ${advice}`)
  }
  if (/parse privateKey|Encrypted private/i.test(messageOf(error))) {
    const advice = 'make one: ssh-keygen -t ed25519 -N "" -f FILE'
    return new AppError('HOST_LOGIN_REFUSED', `${target.keyFile} is no private key without a passphrase: ${advice}`)
  }
  const why =
    code === 'ECONNREFUSED'
      ? 'nothing listens there: is sshd running, and is the port right?'
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? 'its name is not known: is it written right?'
        : `${messageOf(error)}: is the machine up, and does no firewall stand between?`
  return new AppError('HOST_UNREACHABLE', `${where} can not be reached; ${why}`, { cause: error })
}

import { AppError, messageOf } from '@skipcast/runtime'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import { isLoopback, type BusSecurity } from '../config-security.ts'

const KEEP_ALIVE_AFTER_MS = 30_000

/** Begins a connection; `onConnect` is called once it carries data, which with TLS means: once the broker has proved who it is. */
export type OpenSocket = (host: string, port: number, onConnect: () => void) => Socket

/**
 * How connections to Kafka are made, for every broker that Kafka names. Certificates and keys are read here, once. Throws CONFIG_INVALID
 * with the variable of each that can not be used.
 */
export function socketOpener(security: BusSecurity): OpenSocket {
  const secureContext = security.tls && secureContextOf(security.tls)
  const isPasswordVisible = security.login?.mechanism === 'plain' && secureContext === null

  return (host, port, onConnect) => {
    // The configuration was checked for the brokers it names; this one may have been named by a broker.
    if (isPasswordVisible && !isLoopback(host)) throw new Error(`the password would go to ${host} in the clear`)
    const socket = secureContext
      ? connectTls({ host, port, secureContext, rejectUnauthorized: true, ...(!isIP(host) && { servername: host }) }, onConnect)
      : connect({ host, port }, onConnect)
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_AFTER_MS)
  }
}

/**
 * Ends a connection together with what is still on its way, as far as that can be: closed in peace, the kernel would go on trying to deliver it, and a network
 * that heals brings an old record after newer ones. One that was told to end can't be reset (libuv: it would never close), nor can one with TLS.
 */
export function cutOff(socket: Socket): void {
  const cut = new Error('the line was cut')
  const canBeReset = !socket.connecting && !socket.writableEnded && !socket.destroyed && !(socket instanceof TLSSocket)
  if (!canBeReset) return void socket.destroy(cut)
  socket.resetAndDestroy()
  socket.emit('error', cut) // a reset tells nobody here
}

function secureContextOf({ caFile, client }: NonNullable<BusSecurity['tls']>): SecureContext {
  const problems: string[] = []
  const read = (variable: string, file: string | undefined, check: (pem: string) => unknown) => {
    if (file === undefined) return undefined
    try {
      const pem = readFileSync(file, 'utf8')
      check(pem)
      return pem
    } catch (error) {
      problems.push(`${variable}: ${whyUnusable(error)}`)
      return undefined
    }
  }
  const ca = read('KAFKA_SSL_CA', caFile, (pem) => new X509Certificate(pem))
  const cert = read('KAFKA_SSL_CERT', client?.certFile, (pem) => new X509Certificate(pem))
  const key = read('KAFKA_SSL_KEY', client?.keyFile, (pem) => createPrivateKey(pem))
  if (cert && key && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    problems.push('KAFKA_SSL_KEY: is not the key of the certificate in KAFKA_SSL_CERT')
  if (problems.length > 0) throw new AppError('CONFIG_INVALID', problems.join('\n'), { details: problems })
  return createSecureContext({ ca, cert, key })
}

/** Why a file is of no use; what stands in it is never repeated. */
function whyUnusable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code?.startsWith('E') && !code.startsWith('ERR_')
    ? `the file can not be read (${code})`
    : `the file holds no usable PEM: ${messageOf(error)}`
}

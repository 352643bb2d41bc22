import { AppError, isAppError, messageOf } from '@skipcast/runtime'

/** What kafkajs throws: errors of its own, with these beside the message. */
interface Failure extends Error {
  readonly code?: unknown
  readonly type?: unknown
}

/** Node's and OpenSSL's codes for a certificate of the broker's that is not believed. */
const UNTRUSTED = /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|ERR_TLS_CERT)/

/** Whatever kafkajs threw, as the failure that callers of the bus know. */
export function unavailable(cause: unknown): AppError {
  if (isAppError(cause)) return cause
  const text = refusal(cause) ?? `Kafka does not answer: ${messageOf(cause)}`
  return new AppError('BUS_UNAVAILABLE', text, { cause })
}

/** A failure in words: those of its thrower, unless an operator can do better with others. */
export function explain(error: unknown): string {
  return (isAppError(error) ? null : refusal(error)) ?? messageOf(error)
}

/**
 * Says which variables to look at when it was TLS or the login that failed, else null. What a broker says of a login is left out:
 * with the mechanism plain it knows the password.
 */
function refusal(error: unknown): string | null {
  for (const { name, message, code, type } of causes(error)) {
    if (type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(message))
      return 'Kafka does not know this way to log in: choose another KAFKA_SASL_MECHANISM'
    if (type === 'SASL_AUTHENTICATION_FAILED' || name === 'KafkaJSSASLAuthenticationError')
      return 'Kafka refuses the login: check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM'
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return 'Kafka shows a certificate of another host: KAFKA_BROKER must name it as its certificate does'
    if (typeof code === 'string' && UNTRUSTED.test(code))
      return `Kafka shows a certificate that is not trusted (${code}): check KAFKA_SSL_CA`
    if (typeof code === 'string' && code.startsWith('ERR_SSL_'))
      return `TLS with Kafka fails (${code}): check KAFKA_SSL, KAFKA_SSL_CERT and KAFKA_SSL_KEY`
    if (/before secure TLS connection was established/.test(message))
      return 'Kafka ends the connection before TLS begins: if it speaks no TLS there, set KAFKA_SSL=false'
    if (name === 'KafkaJSConnectionClosedError')
      return 'Kafka closed the connection: if that lasts, it may demand TLS (KAFKA_SSL) or a login (KAFKA_SASL_MECHANISM)'
  }
  return null
}

/** The error and what caused it, outermost first. */
function causes(error: unknown): Failure[] {
  const found: Failure[] = []
  for (let next = error; next instanceof Error && !found.includes(next); next = next.cause) found.push(next)
  return found
}

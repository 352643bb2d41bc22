import { env } from '@skipcast/runtime'
import { z } from 'zod'

const MAX_LENGTH = 4096

const text = () => z.string().max(MAX_LENGTH, `may have ${MAX_LENGTH} characters`)

/** How Kafka is reached safely: the variables. */
export const securityVariables = {
  KAFKA_SSL: env.boolean().default(false),
  KAFKA_SSL_CA: text().optional(),
  KAFKA_SSL_CERT: text().optional(),
  KAFKA_SSL_KEY: text().optional(),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'], { error: 'must be plain, scram-sha-256 or scram-sha-512' })
    .optional(),
  KAFKA_SASL_USERNAME: text().optional(),
  KAFKA_SASL_PASSWORD: text().optional(),
}

type Given = z.output<z.ZodObject<typeof securityVariables>> & { readonly KAFKA_BROKER?: readonly string[] | undefined }
type Variable = keyof typeof securityVariables

/** How Kafka is reached: what goes over the wire in the clear, and as whom. */
export interface BusSecurity {
  /** Null: no TLS. Paths of PEM files. */
  readonly tls: {
    /** Undefined: the authorities that Node trusts. */
    readonly caFile: string | undefined
    /** Undefined: the broker does not ask who we are by certificate. */
    readonly client: { readonly certFile: string; readonly keyFile: string } | undefined
  } | null
  /** Null: nobody asks who we are. */
  readonly login: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

/** What does not go together, by variable, and never with a value. */
export function securityProblems(given: Given): { readonly variable: Variable; readonly message: string }[] {
  const problems: { variable: Variable; message: string }[] = []
  const tell = (variable: Variable, message: string) => problems.push({ variable, message })
  const isPresent = (variable: Variable) => given[variable] !== undefined

  if (!given.KAFKA_SSL)
    for (const variable of ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'] as const)
      if (isPresent(variable)) tell(variable, 'has a meaning only with KAFKA_SSL=true')
  if (isPresent('KAFKA_SSL_CERT') !== isPresent('KAFKA_SSL_KEY'))
    tell(isPresent('KAFKA_SSL_CERT') ? 'KAFKA_SSL_KEY' : 'KAFKA_SSL_CERT', 'is missing: certificate and key go together')

  for (const variable of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const) {
    if (isPresent('KAFKA_SASL_MECHANISM') && !isPresent(variable)) tell(variable, 'is missing: KAFKA_SASL_MECHANISM needs it')
    if (!isPresent('KAFKA_SASL_MECHANISM') && isPresent(variable)) tell(variable, 'has a meaning only with KAFKA_SASL_MECHANISM')
  }
  const brokers = given.KAFKA_BROKER ?? []
  if (given.KAFKA_SASL_MECHANISM === 'plain' && !given.KAFKA_SSL && !brokers.every((broker) => isLoopback(hostOf(broker))))
    tell('KAFKA_SASL_MECHANISM', 'plain would send the password in the clear: set KAFKA_SSL=true or choose scram-sha-512')
  if (brokers.length === 0)
    for (const variable of ['KAFKA_SSL', 'KAFKA_SASL_MECHANISM'] as const)
      if (given[variable]) tell(variable, "needs KAFKA_BROKER: the home's own broker has neither TLS nor users")
  return problems
}

/** The same variables as an object, when nothing was wrong with them. */
export function securityOf(given: Given): BusSecurity {
  const { KAFKA_SSL_CERT: certFile, KAFKA_SSL_KEY: keyFile, KAFKA_SASL_MECHANISM: mechanism } = given
  return {
    tls: given.KAFKA_SSL ? { caFile: given.KAFKA_SSL_CA, client: certFile && keyFile ? { certFile, keyFile } : undefined } : null,
    login: mechanism ? { mechanism, username: given.KAFKA_SASL_USERNAME ?? '', password: given.KAFKA_SASL_PASSWORD ?? '' } : null,
  }
}

/** Whether what is sent to this host can't leave the machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function hostOf(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
}
